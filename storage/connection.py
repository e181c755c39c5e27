"""An SQLite connection whose own thread does all the work."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")

Values = Sequence[Any] | Mapping[str, Any]


class Connection:
    """A connection in autocommit mode. Its methods do what those of `sqlite3.Connection` do, off the event loop."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self._closed = False

    @classmethod
    async def open(cls, path: Path, seconds_to_wait: float) -> Self:
        """Open a file, or create it. Statements wait so long for locks of other processes."""
        thread = ThreadPoolExecutor(1, thread_name_prefix=path.name)
        connect = partial(sqlite3.connect, path, timeout=seconds_to_wait, isolation_level=None)
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, connect)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(connection, thread)

    async def close(self) -> None:
        """Close the file, after the work that has begun."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._thread.shutdown(wait=False)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` returns, which is called on the thread."""
        if self._closed:
            raise sqlite3.ProgrammingError("it is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    async def execute(self, query: str, values: Values = ()) -> sqlite3.Cursor:
        return await self.run(lambda connection: connection.execute(query, values))

    async def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        return await self.run(lambda connection: connection.executemany(query, rows))

    async def executescript(self, script: str) -> sqlite3.Cursor:
        return await self.run(lambda connection: connection.executescript(script))

    async def fetchall(self, query: str, values: Values = ()) -> list[sqlite3.Row]:
        """Return all rows that `query` finds."""
        return await self.run(lambda connection: connection.execute(query, values).fetchall())

    async def commit(self) -> None:
        await self.run(sqlite3.Connection.commit)

    async def rollback(self) -> None:
        await self.run(sqlite3.Connection.rollback)
