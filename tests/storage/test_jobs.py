"""Test the table of accepted requests: what it counts, and that nothing of an ended request stays on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from inference import to_json
from storage import JobTable, QuestionTable, Store
from storage.database import Database
from storage.migrations import JOB_STEPS
from storage.sqlite import SQLiteFile


@pytest.fixture
def jobs(store: Store) -> JobTable:
    return store.jobs


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    """Return the database in a file."""
    database = Database(SQLiteFile(tmp_path / "jobs.db", JOB_STEPS, fast_writes=True))
    await database.open()
    yield database
    await database.close()


async def test_open_jobs_come_in_the_order_in_which_they_were_accepted(jobs: JobTable):
    ids = [await jobs.add(1, 0, 2, None, f"target {number}", "") for number in range(3)]
    await jobs.forget(ids[1])
    await jobs.move(ids[2], 7, "moved")
    await jobs.set_work(ids[2], "work")
    assert [(job.id, job.target, job.work) for job in await jobs.open_jobs()] == [
        (ids[0], to_json("target 0"), ""),
        (ids[2], to_json("moved"), to_json("work")),
    ]


async def test_the_end_of_the_process_counts_only_for_jobs_that_a_model_worked_on(jobs: JobTable):
    waiting, running, stopped = [await jobs.add(1, 0, 2, 3, "", "") for _ in range(3)]
    for job in (running, stopped):
        await jobs.start(job)
    await jobs.end(stopped, goes_on=True)
    await jobs.count_deaths()
    assert {job.id: job.deaths for job in await jobs.open_jobs()} == {waiting: 0, running: 1, stopped: 0}
    await jobs.count_deaths()
    assert [job.deaths for job in await jobs.open_jobs()] == [0, 1, 0], "it did not run again"


async def test_jobs_are_deleted_with_their_owner_message_or_channel(jobs: JobTable):
    for owner, channel, message in ((1, 10, 100), (2, 20, 200), (3, 30, 300), (4, 40, 400)):
        await jobs.add(owner, 0, channel, message, "", "")
    await jobs.forget_owner(1)
    await jobs.forget_channels([20])
    await jobs.forget_messages([300])
    assert [job.owner for job in await jobs.open_jobs()] == [4]


async def test_a_job_that_is_deleted_twice_takes_no_other_with_it(jobs: JobTable):
    deleted = await jobs.add(1, 0, 2, 3, "", "")
    await jobs.forget_messages([3])  # with its message
    other = await jobs.add(1, 0, 2, 4, "", "")
    await jobs.forget(deleted)  # at the end of its session
    assert [job.id for job in await jobs.open_jobs()] == [other]


async def test_a_job_whose_end_is_stored_twice_at_the_same_time_has_ended(jobs: JobTable):
    ended = await jobs.add(1, 0, 2, 3, "", "")
    await asyncio.gather(jobs.end(ended, goes_on=False), jobs.end_again())
    assert await jobs.open_jobs() == []


async def test_nothing_of_an_ended_job_stays_on_the_disk(database: Database, tmp_path: Path):
    jobs = JobTable(database)
    job = await jobs.add(1, 0, 2, 3, "a token", "")
    await jobs.set_work(job, "secret words " * 1000)
    await jobs.forget(job)
    assert b"secret words" in (tmp_path / "jobs.db-wal").read_bytes()
    await database.compact()
    left = b"".join(each.read_bytes() for each in _files(tmp_path))
    assert b"secret words" not in left
    assert b"a token" not in left


async def test_the_files_do_not_grow_with_the_number_of_ended_jobs(database: Database, tmp_path: Path):
    jobs = JobTable(database)

    async def size_after(count: int) -> int:
        for _ in range(count):
            await jobs.forget(await jobs.add(1, 0, 2, 3, "target", "work " * 2000))
        await database.compact()
        return sum(each.stat().st_size for each in _files(tmp_path))

    assert await size_after(20) == await size_after(200)


async def test_the_space_of_a_large_job_goes_back_to_the_disk(database: Database, tmp_path: Path):
    jobs = JobTable(database)
    job = await jobs.add(1, 0, 2, 3, "target", "picture " * 10**6)
    await database.compact()
    assert sum(each.stat().st_size for each in _files(tmp_path)) > 8 * 10**6
    await jobs.forget(job)
    await database.compact()
    assert sum(each.stat().st_size for each in _files(tmp_path)) < 200_000


async def _question(questions: QuestionTable, message: int = 3) -> str:
    return await questions.keep(1, 2, message, 100.0, target="", state="", picture=b"", work="work")


async def test_a_question_becomes_jobs_once(store: Store, jobs: JobTable):
    questions = store.questions
    question = await _question(questions)
    two = [("target", "first"), ("other target", "second")]
    begun = await jobs.add_from_question(question, 1, 0, 2, two)
    assert [(job.target, job.work) for job in begun] == [tuple(map(to_json, row)) for row in two]
    assert begun == await jobs.open_jobs()
    assert await questions.get(question) is None
    assert await jobs.add_from_question(question, 1, 0, 2, two) == []
    assert await jobs.open_jobs() == begun


async def test_a_question_is_closed_once(store: Store):
    questions = store.questions
    question = await _question(questions)
    assert [await questions.close(question), await questions.close(question)] == [True, False]


async def test_a_message_has_one_question(store: Store):
    questions = store.questions
    old, new, other = await _question(questions), await _question(questions), await _question(questions, 4)
    assert [await questions.get(each) is not None for each in (old, new, other)] == [False, True, True]


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())
