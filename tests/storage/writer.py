"""A program that adds pairs of rows to both databases of a data folder until it is killed."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from storage import Store
from storage.database import Database

_ANSWER = "INSERT INTO answers VALUES (?, 1, 2, 3, 0, ?, 4e9)"
_JOB = "INSERT INTO jobs (owner, server, channel, created, target, work) VALUES (?, 0, 2, 0, ?, '')"


async def write(folder: Path) -> None:
    """Write as fast as possible."""
    store = Store(folder / "inkling.db")
    await store.open()
    await asyncio.gather(_add(store.database, _ANSWER), _add(store.job_database, _JOB))


async def _add(database: Database, row: str) -> None:
    for number in itertools.count():
        async with database.writing() as connection:
            await connection.execute(row, (2 * number, "x" * 5000))
            await connection.execute(row, (2 * number + 1, "x" * 5000))
        if number == 10 and row == _JOB:  # some are in the write-ahead log now
            print("writing", flush=True)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
