"""Test what Python's search for garbage leaves out."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator
from typing import Any, cast

import pytest

from cogs.client import Inkling
from cogs.garbage_collection import GarbageCollection
from tests.cogs.stage import Stage


class Server:
    """It refers to itself, as a server does by its channels."""

    def __init__(self) -> None:
        self.channel = self


@pytest.fixture(autouse=True)
def _search_everything_again() -> Generator[None]:
    yield
    gc.unfreeze()


@pytest.fixture
def cog(stage: Stage) -> GarbageCollection:
    found: Any = cast(Inkling, stage.bot).get_cog("GarbageCollection")
    return found


async def test_the_servers_of_a_shard_are_left_out_of_the_search(cog: GarbageCollection):
    server = Server()
    assert any(each is server for each in gc.get_objects())
    await cog.on_shard_ready(7)
    assert not any(each is server for each in gc.get_objects())


async def test_the_servers_of_an_ended_session_are_freed_when_the_shard_has_a_new_one(cog: GarbageCollection):
    server = Server()
    alive = weakref.ref(server)
    await cog.on_shard_ready(7)
    del server
    gc.collect()
    assert alive() is not None
    await cog.on_shard_ready(7)
    assert alive() is None
