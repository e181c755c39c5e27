"""The table of accepted requests that have not ended, in a database of its own, so that they go on after a restart.

A write-ahead log makes a write cheap (0.2 ms, with the way to its thread) and safe against the end of the process
at any moment. A power cut may lose the last moments; the main file, which is written rarely, is safe against that too.
The thread of the file writes the JSON of `target` and `work`, which may hold pictures.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference import to_json
from storage.database import Database
from storage.driver import Statements
from storage.shards import ALL_SHARDS, Shards
from storage.table import Table

_ADD = """
INSERT INTO jobs (owner, server, channel, message, created, target, work, cost) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
"""


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
    """The open jobs. Every method raises StorageError if the database can't be used.

    Those of servers on other `shards` are the business of other processes.
    """

    name = "jobs"

    def __init__(self, database: Database, shards: Shards = ALL_SHARDS) -> None:
        super().__init__(database)
        self._held, self._held_values = shards.held
        self._ended: dict[int, bool] = {}
        """The jobs whose end could not be stored, and whether they go on after a restart."""
        self._reserved: dict[int, float] = {}
        """The seconds that the jobs of a person in other processes are expected to take."""

    async def refresh(self) -> None:
        """Read again what the jobs of other processes are expected to take."""
        query = f"SELECT owner, sum(cost) AS cost FROM jobs WHERE cost > 0 AND NOT ({self._held}) GROUP BY owner"
        self._reserved = dict(map(tuple, await self._database.read(query, self._held_values)))

    def reserved_elsewhere(self, owner: int) -> float:
        """Return the seconds that the jobs of this person in other processes are expected to take, from memory."""
        return self._reserved.get(owner, 0.0)

    async def count_deaths(self) -> None:
        """Count a death for each job that a model worked on when the last process ended. Call it once, at the start."""
        query = f"UPDATE jobs SET deaths = deaths + at_work, at_work = 0 WHERE at_work != 0 AND {self._held}"
        await self._change(query, self._held_values)

    async def add(
        self,
        owner: int,
        server: int,
        channel: int,
        message: int | None,
        target: object,
        work: object = None,
        *,
        cost: float = 0.0,
    ) -> int:
        """Store a job and return its id. `work` is None as long as it is not known what is to be done.

        `cost` is in seconds of a device, 0 if it is not known.
        """
        created = time.time()

        def insert(connection: Statements) -> int:
            json = (to_json(target), to_json(work) if work else "")
            return connection.execute(_ADD, (owner, server, channel, message, created, *json, cost)).fetchone()["id"]

        return await self._database.transact(insert)

    async def add_from_question(
        self, question_id: str, owner: int, server: int, channel: int, jobs: Sequence[tuple[object, object]]
    ) -> list[StoredJob]:
        """Delete the question and add `jobs`, each by its target and its work, all or nothing.

        Return the jobs; none if the question is closed.
        """
        created = time.time()

        def replace(connection: Statements) -> list[StoredJob]:
            if not connection.execute("DELETE FROM questions WHERE id = ?", (question_id,)).rowcount:
                return []
            stored: list[StoredJob] = []
            for target, work in ((to_json(target), to_json(work)) for target, work in jobs):
                row = connection.execute(_ADD, (owner, server, channel, None, created, target, work, 0.0)).fetchone()
                stored.append(StoredJob(row["id"], owner, created, target, work, deaths=0))
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

    async def set_cost(self, job_id: int, cost: float) -> None:
        """Store what the job is expected to take."""
        await self._change("UPDATE jobs SET cost = ? WHERE id = ?", (cost, job_id))

    async def start(self, job_id: int) -> None:
        """Note that a model works on the job from now on."""
        await self._change("UPDATE jobs SET at_work = 1 WHERE id = ?", (job_id,))

    async def end(self, job_id: int, *, goes_on: bool) -> None:
        """Delete the job, or note that no model works on it any more if it `goes_on` after a restart.

        If that can't be stored now, `end_again` does it later.
        """
        self._ended[job_id] = goes_on
        query = "UPDATE jobs SET at_work = 0 WHERE id = ?" if goes_on else "DELETE FROM jobs WHERE id = ?"
        await self._change(query, (job_id,))
        self._ended.pop(job_id, None)  # `end_again` may have stored it at the same time

    async def end_again(self) -> None:
        """Store the ends of jobs that could not be stored when they came."""
        for job_id, goes_on in list(self._ended.items()):
            await self.end(job_id, goes_on=goes_on)

    async def open_jobs(self) -> list[StoredJob]:
        """Return all jobs of this process in the order in which they were accepted."""
        query = f"SELECT id, owner, created, target, work, deaths FROM jobs WHERE {self._held} ORDER BY id"
        return [StoredJob(*row) for row in await self._database.read(query, self._held_values)]

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the open jobs of this person as plain data, without the tokens of Discord in `target`."""
        query = "SELECT id, channel, message, created, work FROM jobs WHERE owner = ? ORDER BY id"
        return [dict(row) for row in await self._database.read(query, (owner,))]

    async def _change(self, query: str, values: Sequence[Any] = ()) -> None:
        await self._database.transact(lambda connection: connection.execute(query, values))
