"""The SQLite file: opening, migration, reading and writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from storage.migrations import STEPS, steps_from

_SECONDS_TO_WAIT = 60.0
"""How long a transaction waits while another process copies the file for a backup."""


class StorageError(Exception):
    """The file can't be used. The message has the reason and the next step."""


class Database:
    """One connection, whose thread does all the work. No deleted data stays in the file or beside it.

    `steps` are the migrations of its tables. With `fast_writes` a transaction is in a write-ahead log before it is on
    the disk: it survives the end of the process at any moment, but not always a power cut. Deleted data stays in that
    log until `compact`.
    """

    def __init__(self, path: Path, steps: Sequence[str] = STEPS, *, fast_writes: bool = False) -> None:
        self._path = path
        self._steps = steps
        self._fast_writes = fast_writes
        self._connection: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()
        self._written = True  # perhaps shortly before the last process ended

    async def open(self) -> None:
        """Open the file and migrate its tables. Create file and folder if missing. Raise StorageError."""
        try:
            await asyncio.to_thread(self._path.parent.mkdir, parents=True, exist_ok=True)
            self._connection = await aiosqlite.connect(self._path, isolation_level=None, timeout=_SECONDS_TO_WAIT)
            await self._prepare()
        except (OSError, aiosqlite.Error, StorageError) as error:
            await self.close()
            raise StorageError(
                f"{self._path} can't be used: {error}. Check its folder, or move the file away, and start again."
            ) from error

    async def close(self) -> None:
        """Close the file if it is open."""
        if self._connection:
            await self._connection.close()
            self._connection = None

    async def read(self, query: str, values: Iterable[Any] = ()) -> list[aiosqlite.Row]:
        """Return all rows that `query` finds. Raise StorageError if the file can't be read."""
        try:
            return list(await self._connected.execute_fetchall(query, values))
        except aiosqlite.Error as error:
            raise StorageError(f"{self._path} can't be read: {error}") from error

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[aiosqlite.Connection]:
        """Open a transaction: all or nothing is stored. One transaction at a time.

        Raise StorageError if the disk is full or broken.
        """
        async with self._writing:
            self._written = True
            try:
                async with self._transaction() as connection:
                    yield connection
            except aiosqlite.Error as error:
                raise StorageError(f"{self._path} can't be written: {error}") from error

    async def compact(self) -> None:
        """Give the space of deleted rows back to the disk, and empty the write-ahead log. Raise StorageError.

        Nothing is done if nothing was written since the last call.
        """
        if self._written:
            async with self._writing:
                try:  # a script: `execute` would free one page only
                    await self._connected.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
                except aiosqlite.Error as error:
                    raise StorageError(f"{self._path} can't be written: {error}") from error
                self._written = False

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[aiosqlite.Connection]:
        try:  # includes BEGIN: the connection's thread executes it even if its caller is cancelled
            await self._connected.execute("BEGIN IMMEDIATE")
            yield self._connected
            await self._connected.commit()
        except BaseException:
            await self._connected.rollback()
            raise

    @property
    def _connected(self) -> aiosqlite.Connection:
        if self._connection is None:  # it may be closed while a task is still running
            raise StorageError(f"{self._path} is not open")
        return self._connection

    async def _prepare(self) -> None:
        self._connected.row_factory = aiosqlite.Row
        await self.read("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file; it must come before the first table
        if self._fast_writes:
            await self.read("PRAGMA journal_mode = WAL")
            await self.read("PRAGMA synchronous = NORMAL")
        else:  # a write-ahead log would keep deleted data for long
            await self.read("PRAGMA journal_mode = DELETE")
        await self.read("PRAGMA secure_delete = ON")  # deleted data is overwritten
        [(version,)] = await self.read("PRAGMA user_version")
        if version > len(self._steps):
            raise StorageError("a newer version of the bot wrote it")
        for step in steps_from(self._steps, version):
            await self._connected.executescript(step)
