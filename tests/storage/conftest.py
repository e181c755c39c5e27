"""An open store, in files and on a Postgres server: the tests that use it run with both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from storage import Store

NewStore = Callable[[], Store]
"""Returns a store with the data of the test, which has yet to be opened."""


@pytest.fixture(params=["files", "postgres"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> NewStore:
    address = request.getfixturevalue("address") if request.param == "postgres" else ""
    return lambda: Store(tmp_path / "data" / "inkling.db", address)


@pytest.fixture
async def store(new_store: NewStore) -> AsyncGenerator[Store]:
    store = new_store()
    await store.open()
    yield store
    await store.close()
