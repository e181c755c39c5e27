"""The turns of new sessions of Discord's gateway."""

from __future__ import annotations

from storage.identifies import IdentifyTable
from tests.storage.conftest import NewStore


async def test_new_sessions_of_a_bucket_take_turns_also_over_a_restart(new_store: NewStore):
    clock = iter([100.0, 101.0, 101.0, 120.0])
    waits: list[float] = []
    for bucket in (0, 0, 1, 0):
        store = new_store()
        await store.open()
        waits.append(await IdentifyTable(store.job_database, lambda: next(clock)).claim(bucket, 5))
        await store.close()
    assert waits == [0, 4, 0, 0]


async def test_a_clock_that_was_wrong_does_not_keep_the_bot_away(new_store: NewStore):
    store = new_store()
    await store.open()
    clock = iter([90_000.0, 100.0])
    table = IdentifyTable(store.job_database, lambda: next(clock))
    assert await table.claim(0, 5) == 0
    assert await table.claim(0, 5) == 60
    await store.close()
