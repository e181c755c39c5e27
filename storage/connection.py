"""A database whose own thread does all the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from storage.driver import Cursor, Driver, Row, Values

T = TypeVar("T")


class Connection:
    """An open database. Its methods do what those of `Driver` do, off the event loop."""

    def __init__(self, driver: Driver, thread: ThreadPoolExecutor) -> None:
        self._driver = driver
        self._thread = thread
        self._closed = False

    @classmethod
    async def open(cls, driver: Driver) -> Self:
        """Open the database. Raise StorageError."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="storage")
        try:
            await asyncio.get_running_loop().run_in_executor(thread, driver.open)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(driver, thread)

    async def close(self) -> None:
        """Close the database, after the work that has begun."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._driver.close)
            self._thread.shutdown(wait=False)

    async def run(self, work: Callable[[Driver], T]) -> T:
        """Return what `work` returns, which is called on the thread."""
        if self._closed:
            raise self._driver.errors("it is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._driver)

    async def execute(self, query: str, values: Values = ()) -> Cursor:
        return await self.run(lambda driver: driver.execute(query, values))

    async def executemany(self, query: str, rows: Iterable[Values]) -> None:
        await self.run(lambda driver: driver.executemany(query, rows))

    async def fetchall(self, query: str, values: Values = ()) -> Sequence[Row]:
        """Return all rows that `query` finds."""
        return await self.run(lambda driver: driver.execute(query, values).fetchall())

    async def begin(self) -> None:
        await self.run(lambda driver: driver.begin())

    async def commit(self) -> None:
        await self.run(lambda driver: driver.commit())

    async def rollback(self) -> None:
        await self.run(lambda driver: driver.rollback())
