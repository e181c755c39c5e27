"""A database: opening, reading and writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from storage.connection import Connection
from storage.driver import DatabaseUnavailable, Driver, Row, Statements, StorageError, Values, first_line

T = TypeVar("T")
Change = Callable[[Statements], T]
"""What writes to the database, on the connection's thread, and returns something."""


class Database:
    """One connection, whose thread does all the work."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._connection: Connection | None = None
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[Change[Any], asyncio.Future[Any]]] = []
        """The changes that share the next transaction, each with its outcome."""
        self._writer: asyncio.Task[None] | None = None
        self._written = True  # perhaps shortly before the last process ended

    @property
    def name(self) -> str:
        """What sentences call it."""
        return self._driver.name

    async def open(self) -> None:
        """Connect, and migrate the tables. Raise StorageError."""
        self._connection = await Connection.open(self._driver)

    async def close(self) -> None:
        """Close the database if it is open."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()

    async def read(self, query: str, values: Values = ()) -> Sequence[Row]:
        """Return all rows that `query` finds. Raise StorageError if the database can't be read."""
        try:
            return await self._connected.run(lambda driver: driver.read(query, values))
        except self._driver.errors as error:
            raise self._failure("read", error) from error

    async def transact(self, change: Change[T]) -> T:
        """Make a change as a whole or not at all, and return what it returns when it is stored.

        Changes that wait for the database share one transaction, which is quicker. Raise StorageError if the disk is
        full or broken, or the database is away.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, outcome))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        try:
            return await outcome
        except self._driver.errors as error:
            raise self._failure("written", error) from error

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Connection]:
        """Open a transaction: all or nothing is stored. One transaction at a time.

        Raise StorageError if the disk is full or broken, or the database is away.
        """
        async with self._writing:
            self._written = True
            try:
                async with self._transaction() as connection:
                    yield connection
            except self._driver.errors as error:
                raise self._failure("written", error) from error

    async def compact(self) -> None:
        """Remove the last traces of deleted rows, and give their space back to the disk. Raise StorageError.

        Nothing is done if nothing was written since the last call.
        """
        if self._written:
            async with self._writing:
                try:
                    await self._connected.run(lambda driver: driver.compact())
                except self._driver.errors as error:
                    raise self._failure("written", error) from error
                self._written = False

    async def notices(self) -> list[str] | None:
        """Return what other processes have changed, as `Driver.notices` does. Raise StorageError."""
        try:
            return await self._connected.run(lambda driver: driver.notices())
        except self._driver.errors as error:
            raise self._failure("read", error) from error

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
            await self._connected.begin()
            yield self._connected
            await self._connected.commit()
        except BaseException:
            await self._connected.rollback()
            raise

    def _failure(self, verb: str, error: Exception) -> StorageError:
        kind = DatabaseUnavailable if self._driver.is_down(error) else StorageError
        return kind(f"{self._driver.name} can't be {verb}: {first_line(error)}")

    @property
    def _connected(self) -> Connection:
        if self._connection is None:  # it may be closed while a task is still running
            raise StorageError(f"{self._driver.name} is not open")
        return self._connection


def _make_together(changes: Sequence[Change[Any]], driver: Driver) -> Sequence[Any]:
    """Make the changes in one transaction, and return what they return.

    If one of them fails, make each in its own transaction, and return the error of those that fail. If the database
    can't be written at all, return that error for each.
    """
    try:
        return _make(changes, driver)
    except Exception as error:
        if len(changes) == 1 or driver.is_down(error):
            return [error] * len(changes)
        return [_make_together([change], driver)[0] for change in changes]


def _make(changes: Sequence[Change[Any]], driver: Driver) -> Sequence[Any]:
    driver.begin()
    try:
        results = [change(driver) for change in changes]
        driver.commit()
    except BaseException:
        driver.rollback()
        raise
    return results
