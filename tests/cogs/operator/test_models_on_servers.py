"""What the operator sees of a server that runs models."""

from __future__ import annotations

import pytest

from inference.backends.backend import QueueStatus
from tests.cogs.operator.operator_panel import operator, panel
from tests.cogs.stage import Stage
from tests.fakes import FakeBackend


class ServerBackend(FakeBackend):
    def queues(self) -> list[QueueStatus]:
        return [QueueStatus("h:8000", 2, 1, None, on_server=True)]


@pytest.fixture
def backend() -> FakeBackend:
    return ServerBackend()


async def test_the_queue_of_a_server_is_shown_without_memory(stage: Stage):
    shown = await panel(stage, operator(stage))
    assert "**Server h:8000**: 1 running, 2 waiting\n" in f"{shown.content}\n"
