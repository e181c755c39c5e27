"""The bot's data, by table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from storage.completions import CompletionTable
from storage.database import Database
from storage.images import ImageTable
from storage.jobs import JobTable
from storage.settings import SettingsTables


class Store:
    """The tables. `settings` are also held in memory, and `jobs` are in a file of their own."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.images = ImageTable(self.database)
        self.completions = CompletionTable(self.database)
        self.settings = SettingsTables(self.database)
        self.jobs = JobTable(path.with_name("jobs.db"))

    async def open(self) -> None:
        """Open the file and read the settings. Raise StorageError."""
        await self.database.open()
        await self.settings.load()
        await self.jobs.open()

    async def close(self) -> None:
        """Close the file if it is open."""
        await self.jobs.close()
        await self.database.close()

    async def forget_messages(self, messages: Collection[int]) -> None:
        """Delete everything shown in these messages. Raise StorageError."""
        for table in (self.images, self.completions, self.jobs):
            await table.forget_messages(messages)

    async def forget_expired(self, now: float) -> None:
        """Delete everything that has expired at `now`, in seconds since 1970. Raise StorageError."""
        for table in (self.images, self.completions):
            await table.forget_expired(now)

    async def forget_channels(self, channels: Collection[int]) -> None:
        """Delete everything shown in these channels and threads. Raise StorageError."""
        for table in (self.images, self.completions, self.jobs):
            await table.forget_channels(channels)
