"""The SQLite file itself: opened, brought up to date, read and written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from storage.migrations import VERSION, steps_from


class StorageError(Exception):
    """The file can't be used; the message says why, and what to do."""


class Database:
    """One connection, whose thread does all the work. Nothing of what is deleted stays in the file or beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Make the file and its folder if they are missing, and bring the tables up to date; raise StorageError."""
        try:
            await asyncio.to_thread(self._path.parent.mkdir, parents=True, exist_ok=True)
            self._connection = await aiosqlite.connect(self._path, isolation_level=None)
            await self._prepare()
        except (OSError, aiosqlite.Error, StorageError) as error:
            await self.close()
            raise StorageError(
                f"{self._path} can't be used: {error}. Check its folder, or move the file away, and start again."
            ) from error

    async def close(self) -> None:
        """Close the file; do nothing where it is not open."""
        if self._connection:
            await self._connection.close()
            self._connection = None

    async def read(self, query: str, values: Iterable[Any] = ()) -> list[aiosqlite.Row]:
        """Return all rows that `query` finds."""
        return list(await self._open.execute_fetchall(query, values))

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[aiosqlite.Connection]:
        """Open a transaction: what is written in it is kept together or not at all. One at a time.

        Raises StorageError where the disk is full or broken.
        """
        async with self._writing:
            try:
                async with self._transaction() as connection:
                    yield connection
            except aiosqlite.Error as error:
                raise StorageError(f"{self._path} can't be written: {error}") from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[aiosqlite.Connection]:
        try:  # around BEGIN too: the connection's thread carries it out even when its caller is cancelled
            await self._open.execute("BEGIN IMMEDIATE")
            yield self._open
            await self._open.commit()
        except BaseException:
            await self._open.rollback()
            raise

    @property
    def _open(self) -> aiosqlite.Connection:
        if self._connection is None:  # perhaps closed already, while something was still under way
            raise StorageError(f"{self._path} is not open")
        return self._connection

    async def _prepare(self) -> None:
        self._open.row_factory = aiosqlite.Row
        await self.read("PRAGMA journal_mode = DELETE")  # a write-ahead log would hold what was written for long
        await self.read("PRAGMA secure_delete = ON")  # what people delete is overwritten
        [(version,)] = await self.read("PRAGMA user_version")
        if version > VERSION:
            raise StorageError("a newer version of the bot wrote it")
        for step in steps_from(version):
            await self._open.executescript(step)
