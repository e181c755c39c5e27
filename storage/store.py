"""The bot's data, by table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from storage.completions import CompletionTable
from storage.database import Database
from storage.images import ImageTable
from storage.settings import SettingsTables


class Store:
    """The tables of one file. `settings` are also held in memory."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.images = ImageTable(self.database)
        self.completions = CompletionTable(self.database)
        self.settings = SettingsTables(self.database)

    async def open(self) -> None:
        """Open the file and read the settings. Raise StorageError."""
        await self.database.open()
        await self.settings.load()

    async def close(self) -> None:
        """Close the file if it is open."""
        await self.database.close()

    async def forget_messages(self, messages: Collection[int]) -> None:
        """Delete everything shown in these messages. Raise StorageError."""
        for table in (self.images, self.completions):
            await table.forget_messages(messages)

    async def forget_expired(self, now: float) -> None:
        """Delete everything that has expired at `now`, in seconds since 1970. Raise StorageError."""
        for table in (self.images, self.completions):
            await table.forget_expired(now)

    async def forget_channels(self, channels: Collection[int]) -> None:
        """Delete everything shown in these channels and threads. Raise StorageError."""
        for table in (self.images, self.completions):
            await table.forget_channels(channels)
