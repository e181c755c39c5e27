"""The file itself: opened, brought up to date, read and written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiosqlite

from storage.completions import Completions
from storage.drawings import Drawings
from storage.migrations import VERSION, steps_from
from storage.settings import Settings


class _Personal(Protocol):
    """What is kept of people."""

    async def export_of(self, owner: int) -> Any:
        """As plain data."""
        ...

    async def forget_owner(self, owner: int) -> None:
        """All of this person's goes."""
        ...


class StorageError(Exception):
    """The file can't be used; the message says why, and what to do."""


class Store:
    """One connection, whose thread does all the work. Nothing of what is deleted stays in the file or beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()
        self.drawings = Drawings(self)
        self.completions = Completions(self)
        self.settings = Settings(self)
        self._personal: dict[str, _Personal] = {
            "settings": self.settings,
            "drawings": self.drawings,
            "completions": self.completions,
        }

    async def open(self) -> None:
        """Make the file and its folder if they are missing; raises StorageError."""
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
        """Does nothing where nothing is open."""
        if self._connection:
            await self._connection.close()
            self._connection = None

    async def read(self, query: str, values: Iterable[Any] = ()) -> list[aiosqlite.Row]:
        """All rows that `query` finds."""
        return list(await self._open.execute_fetchall(query, values))

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[aiosqlite.Connection]:
        """A transaction: what is written in it is kept together or not at all. One at a time.

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
        await self.settings.load()

    async def export(self, owner: int) -> dict[str, Any]:
        """All that is kept of one person, by kind, as plain data; pictures by their hash alone."""
        return {name: await kept.export_of(owner) for name, kept in self._personal.items()}

    async def forget(self, owner: int) -> None:
        """Nothing of this person remains; raises StorageError."""
        for kept in self._personal.values():
            await kept.forget_owner(owner)

    async def forget_messages(self, messages: Collection[int]) -> None:
        """What these messages showed; raises StorageError."""
        for table in (self.drawings, self.completions):
            await table.forget_messages(messages)

    async def forget_expired(self, now: float) -> None:
        """What has had its time, at `now` in seconds since 1970; raises StorageError."""
        for table in (self.drawings, self.completions):
            await table.forget_expired(now)

    async def forget_channels(self, channels: Collection[int]) -> None:
        """What was shown in these channels and threads; raises StorageError."""
        for table in (self.drawings, self.completions):
            await table.forget_channels(channels)
