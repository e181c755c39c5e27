"""Several processes of a bot: each has its shards of Discord's gateway, and the rows of their servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import Shards, Store
from storage.identifies import IdentifyTable


@pytest.mark.parametrize(("text", "shards"), [("0-7/32", Shards(0, 7, 32)), ("31/32", Shards(31, 31, 32))])
def test_a_range_of_shards_is_read(text: str, shards: Shards):
    assert Shards.parse(text) == shards


@pytest.mark.parametrize("text", ["", "7", "7-0/32", "0-32/32", "0-7/0", "-1/4", "a/b"])
def test_shards_that_are_not_there_are_refused(text: str):
    with pytest.raises(ValueError, match="shard"):
        Shards.parse(text)


def test_each_server_belongs_to_one_process_and_direct_messages_to_the_first():
    processes = [Shards(0, 7, 32), Shards(8, 30, 32), Shards(31, 31, 32)]
    for server in [None, *(number << 22 | 12345 for number in range(200))]:
        assert sum(process.hold(server) for process in processes) == 1
    assert processes[0].hold(None)
    assert processes[2].hold(31 << 22)


async def test_a_process_goes_on_with_the_jobs_of_its_own_shards_and_counts_their_deaths_alone(tmp_path: Path):
    first, second = (Store(tmp_path / "inkling.db", Shards(number, number, 2)) for number in (0, 1))
    await first.open()
    own, other, direct = [
        await first.jobs.add(1, server, 3, None, "target", "work") for server in (2 << 22, 3 << 22, 0)
    ]
    for job in (own, other, direct):
        await first.jobs.start(job)
    await first.close()
    await second.open()
    assert [(job.id, job.deaths) for job in await second.jobs.open_jobs()] == [(other, 1)]
    await second.close()
    await first.open()
    assert [(job.id, job.deaths) for job in await first.jobs.open_jobs()] == [(own, 1), (direct, 1)]
    await first.close()


async def test_new_sessions_of_a_bucket_take_turns_also_between_processes(tmp_path: Path):
    stores = [Store(tmp_path / "inkling.db") for _ in range(2)]
    for store in stores:
        await store.open()
    clock = iter([100.0, 101.0, 101.0, 120.0])
    tables = [IdentifyTable(store.job_database, lambda: next(clock)) for store in stores]
    assert await tables[0].claim(0, 5) == 0
    assert await tables[1].claim(0, 5) == 4
    assert await tables[0].claim(1, 5) == 0
    assert await tables[0].claim(0, 5) == 0
    for store in stores:
        await store.close()
