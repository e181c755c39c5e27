"""The table of accepted requests that have not ended, in a file of its own, so that they go on after a restart.

A write-ahead log makes a write cheap (0.4 ms, with the way to its thread) and safe against the end of the process
at any moment. A power cut may lose the last moments; the main file, which is written rarely, is safe against that too.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite

from storage.database import Database, StorageError
from storage.table import Table

_SCHEMA = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,  -- ascending: who came first
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER,  -- null until Discord has named it
    created REAL NOT NULL,  -- seconds since 1970
    target TEXT NOT NULL,  -- JSON: where the reply goes
    work TEXT NOT NULL,  -- JSON: the request and all that its answer needs; empty while its inputs are read
    at_work INTEGER NOT NULL DEFAULT 0,  -- whether a model works on it now
    deaths INTEGER NOT NULL DEFAULT 0  -- how often the process has ended while a model worked on it
);
CREATE INDEX jobs_by_owner ON jobs (owner);
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
    """The open jobs. Every method raises StorageError if the file can't be used."""

    name = "jobs"

    def __init__(self, path: Path) -> None:
        super().__init__(Database(path, (_SCHEMA,), fast_writes=True))
        self._deleted = True  # perhaps shortly before the process ended

    async def open(self) -> None:
        """Open the file, and count a death for each job that a model worked on when the process ended."""
        await self._database.open()
        await self._change("UPDATE jobs SET deaths = deaths + at_work, at_work = 0")

    async def close(self) -> None:
        """Close the file if it is open."""
        with contextlib.suppress(StorageError):  # it may never have been opened
            await self.forget_ended()
        await self._database.close()

    async def forget_ended(self) -> None:
        """Remove deleted jobs from the write-ahead log too. Call it now and then."""
        if self._deleted:
            self._deleted = False
            try:
                await self._database.forget_log()
            except StorageError:
                self._deleted = True
                raise

    async def add(self, owner: int, channel: int, message: int | None, target: str, work: str) -> int:
        """Store a job and return its id."""
        return await self._change(
            "INSERT INTO jobs (owner, channel, message, created, target, work) VALUES (?, ?, ?, ?, ?, ?)",
            (owner, channel, message, time.time(), target, work),
        )

    async def move(self, job_id: int, message: int | None, target: str) -> None:
        """Store where the reply goes now."""
        await self._change("UPDATE jobs SET message = ?, target = ? WHERE id = ?", (message, target, job_id))

    async def set_work(self, job_id: int, work: str) -> None:
        """Store what is to be done."""
        await self._change("UPDATE jobs SET work = ? WHERE id = ?", (work, job_id))

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

    async def _delete(self, column: str, values: Iterable[int | str]) -> None:
        await super()._delete(column, values)
        self._deleted = True

    async def _change(self, query: str, values: Iterable[Any] = ()) -> int:
        """Run a statement. Return the id of the row that it added, if any."""
        async with self._database.writing() as connection:
            cursor: aiosqlite.Cursor = await connection.execute(query, values)
        return cursor.lastrowid or 0
