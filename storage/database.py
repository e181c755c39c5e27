"""The SQLite file: opening, migration, reading and writing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from storage.connection import Connection, Values
from storage.migrations import STEPS, steps_from

_SECONDS_TO_WAIT = 60.0
"""How long a transaction waits while another process copies the file for a backup."""


_OF_THE_FILE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
"""Codes of errors that every change would have, whatever it writes. A full disk is none: small rows may still fit."""

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], T]
"""What writes to the file, on the connection's thread, and returns something."""


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
        self._connection: Connection | None = None
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[Change[Any], asyncio.Future[Any]]] = []
        """The changes that share the next transaction, each with its outcome."""
        self._writer: asyncio.Task[None] | None = None
        self._written = True  # perhaps shortly before the last process ended

    async def open(self) -> None:
        """Open the file and migrate its tables. Create file and folder if missing. Raise StorageError."""
        try:
            await asyncio.to_thread(self._path.parent.mkdir, parents=True, exist_ok=True)
            self._connection = await Connection.open(self._path, _SECONDS_TO_WAIT)
            await self._prepare()
        except (OSError, sqlite3.Error, StorageError) as error:
            await self.close()
            raise StorageError(
                f"{self._path} can't be used: {error}. Check its folder, or move the file away, and start again."
            ) from error

    async def close(self) -> None:
        """Close the file if it is open."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()

    async def read(self, query: str, values: Values = ()) -> list[sqlite3.Row]:
        """Return all rows that `query` finds. Raise StorageError if the file can't be read."""
        try:
            return await self._connected.fetchall(query, values)
        except sqlite3.Error as error:
            raise StorageError(f"{self._path} can't be read: {error}") from error

    async def transact(self, change: Change[T]) -> T:
        """Make a change as a whole or not at all, and return what it returns when it is stored.

        Changes that wait for the file share one transaction, which is quicker. Raise StorageError if the disk is full
        or broken.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, outcome))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        try:
            return await outcome
        except sqlite3.Error as error:
            raise StorageError(f"{self._path} can't be written: {error}") from error

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Connection]:
        """Open a transaction: all or nothing is stored. One transaction at a time.

        Raise StorageError if the disk is full or broken.
        """
        async with self._writing:
            self._written = True
            try:
                async with self._transaction() as connection:
                    yield connection
            except sqlite3.Error as error:
                raise StorageError(f"{self._path} can't be written: {error}") from error

    async def compact(self) -> None:
        """Give the space of deleted rows back to the disk, and empty the write-ahead log. Raise StorageError.

        Nothing is done if nothing was written since the last call.
        """
        if self._written:
            async with self._writing:
                try:  # a script: `execute` would free one page only
                    await self._connected.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
                except sqlite3.Error as error:
                    raise StorageError(f"{self._path} can't be written: {error}") from error
                self._written = False

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                async with self._writing:
                    self._written = True
                    waiting, self._waiting = self._waiting, []
                    await self._write([change for change, _ in waiting], [outcome for _, outcome in waiting])
        finally:
            self._writer = None

    async def _write(self, changes: Sequence[Change[Any]], outcomes: Sequence[asyncio.Future[Any]]) -> None:
        """Make the changes, and set their outcomes."""
        try:
            results = await self._connected.run(partial(_make_together, changes))
        except Exception as error:  # such as of a file that is closed: nobody may wait for ever
            results = [error] * len(changes)
        for outcome, result in zip(outcomes, results, strict=True):
            if outcome.done():  # its caller was cancelled
                continue
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[Connection]:
        try:  # includes BEGIN: the connection's thread executes it even if its caller is cancelled
            await self._connected.execute("BEGIN IMMEDIATE")
            yield self._connected
            await self._connected.commit()
        except BaseException:
            await self._connected.rollback()
            raise

    @property
    def _connected(self) -> Connection:
        if self._connection is None:  # it may be closed while a task is still running
            raise StorageError(f"{self._path} is not open")
        return self._connection

    async def _prepare(self) -> None:
        await self._connected.run(lambda connection: setattr(connection, "row_factory", sqlite3.Row))
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


def _make_together(changes: Sequence[Change[Any]], connection: sqlite3.Connection) -> Sequence[Any]:
    """Make the changes in one transaction, and return what they return.

    If one of them fails, make each in its own transaction, and return the error of those that fail. If the file can't
    be written at all, return that error for each.
    """
    try:
        return _make(changes, connection)
    except Exception as error:
        if len(changes) == 1 or _is_of_the_file(error):
            return [error] * len(changes)
        return [_make_together([change], connection)[0] for change in changes]


def _is_of_the_file(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _OF_THE_FILE  # the other bits say more


def _make(changes: Sequence[Change[Any]], connection: sqlite3.Connection) -> Sequence[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [change(connection) for change in changes]
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return results
