"""Everything that the bot keeps, table by table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

from storage.database import Database
from storage.images import ImageTable
from storage.settings import SettingsTables
from storage.text_threads import TextThreadTable


class _Personal(Protocol):
    """What is kept of people."""

    async def export_of(self, owner: int) -> Any:
        """Return all of this person's as plain data."""
        ...

    async def forget_owner(self, owner: int) -> None:
        """Delete all of this person's."""
        ...


class Store:
    """The tables of one file; `settings` are also in memory."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.images = ImageTable(self.database)
        self.text_threads = TextThreadTable(self.database)
        self.settings = SettingsTables(self.database)
        self._personal: dict[str, _Personal] = {
            "settings": self.settings,
            "images": self.images,
            "text_threads": self.text_threads,
        }

    async def open(self) -> None:
        """Open the file, and read the settings; raise StorageError."""
        await self.database.open()
        await self.settings.load()

    async def close(self) -> None:
        """Close the file; do nothing where it is not open."""
        await self.database.close()

    async def export(self, owner: int) -> dict[str, Any]:
        """All that is kept of one person, by kind, as plain data; pictures by their hash alone."""
        return {name: await kept.export_of(owner) for name, kept in self._personal.items()}

    async def forget(self, owner: int) -> None:
        """Nothing of this person remains; raises StorageError."""
        for kept in self._personal.values():
            await kept.forget_owner(owner)

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
