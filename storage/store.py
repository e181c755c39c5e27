"""Everything that the bot keeps, table by table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from storage.database import Database
from storage.images import ImageTable
from storage.settings import SettingsTables
from storage.text_threads import TextThreadTable


class Store:
    """The tables of one file; `settings` are also in memory."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.images = ImageTable(self.database)
        self.text_threads = TextThreadTable(self.database)
        self.settings = SettingsTables(self.database)

    async def open(self) -> None:
        """Open the file, and read the settings; raise StorageError."""
        await self.database.open()
        await self.settings.load()

    async def close(self) -> None:
        """Close the file; do nothing where it is not open."""
        await self.database.close()

    async def forget_messages(self, messages: Collection[int]) -> None:
        """What these messages showed; raises StorageError."""
        for table in (self.images, self.text_threads):
            await table.forget_messages(messages)

    async def forget_expired(self, now: float) -> None:
        """What has had its time, at `now` in seconds since 1970; raises StorageError."""
        for table in (self.images, self.text_threads):
            await table.forget_expired(now)

    async def forget_channels(self, channels: Collection[int]) -> None:
        """What was shown in these channels and threads; raises StorageError."""
        for table in (self.images, self.text_threads):
            await table.forget_channels(channels)
