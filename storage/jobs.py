"""The table of accepted requests that have not ended, in a file of its own, so that they go on after a restart.

A write-ahead log makes a write cheap (0.2 ms, with the way to its thread) and safe against the end of the process
at any moment. A power cut may lose the last moments; the main file, which is written rarely, is safe against that too.
The thread of the file writes the JSON of `target` and `work`, which may hold pictures.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference import to_json
from storage.table import Table

_ADD = "INSERT INTO jobs (owner, channel, message, created, target, work) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A request that was accepted before the restart. `target` and `work` are JSON; `deaths` as in the table."""

    id: int
    owner: int
    created: float
    target: str
    work: str
    deaths: int


class JobTable(Table):
    """The open jobs. Every method raises StorageError if the file can't be used."""

    name = "jobs"

    async def count_deaths(self) -> None:
        """Count a death for each job that a model worked on when the last process ended. Call it once, at the start."""
        await self._change("UPDATE jobs SET deaths = deaths + at_work, at_work = 0")

    async def add(self, owner: int, channel: int, message: int | None, target: object, work: object = None) -> int:
        """Store a job and return its id. `work` is None as long as it is not known what is to be done."""
        created = time.time()

        def insert(connection: sqlite3.Connection) -> int:
            json = (to_json(target), to_json(work) if work else "")
            return connection.execute(_ADD, (owner, channel, message, created, *json)).lastrowid or 0

        return await self._database.transact(insert)

    async def add_from_question(
        self, question_id: str, owner: int, channel: int, jobs: Sequence[tuple[object, object]]
    ) -> list[StoredJob]:
        """Delete the question and add `jobs`, each by its target and its work, all or nothing.

        Return the jobs; none if the question is closed.
        """
        created = time.time()

        def replace(connection: sqlite3.Connection) -> list[StoredJob]:
            if not connection.execute("DELETE FROM questions WHERE id = ?", (question_id,)).rowcount:
                return []
            stored: list[StoredJob] = []
            for target, work in ((to_json(target), to_json(work)) for target, work in jobs):
                row = connection.execute(_ADD, (owner, channel, None, created, target, work))
                stored.append(StoredJob(row.lastrowid or 0, owner, created, target, work, deaths=0))
            return stored

        return await self._database.transact(replace)

    async def move(self, job_id: int, message: int | None, target: object) -> None:
        """Store where the reply goes now."""
        query = "UPDATE jobs SET message = ?, target = ? WHERE id = ?"
        await self._database.transact(lambda connection: connection.execute(query, (message, to_json(target), job_id)))

    async def set_work(self, job_id: int, work: object) -> None:
        """Store what is to be done."""
        query = "UPDATE jobs SET work = ? WHERE id = ?"
        await self._database.transact(lambda connection: connection.execute(query, (to_json(work), job_id)))

    async def start(self, job_id: int) -> None:
        """Note that a model works on the job from now on."""
        await self._change("UPDATE jobs SET at_work = 1 WHERE id = ?", (job_id,))

    async def stop(self, job_id: int) -> None:
        """Note that no model works on the job any more, but that it has not ended."""
        await self._change("UPDATE jobs SET at_work = 0 WHERE id = ?", (job_id,))

    async def open_jobs(self) -> list[StoredJob]:
        """Return all jobs in the order in which they were accepted."""
        rows = await self._database.read("SELECT id, owner, created, target, work, deaths FROM jobs ORDER BY id")
        return [StoredJob(*row) for row in rows]

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the open jobs of this person as plain data, without the tokens of Discord in `target`."""
        query = "SELECT id, channel, message, created, work FROM jobs WHERE owner = ? ORDER BY id"
        return [dict(row) for row in await self._database.read(query, (owner,))]

    async def _change(self, query: str, values: Sequence[Any] = ()) -> None:
        await self._database.transact(lambda connection: connection.execute(query, values))
