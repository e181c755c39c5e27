"""What tables have in common whose rows belong to a message of Discord's, and go with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from storage.database import Database

PRIVATE_SECONDS = 24 * 3600.0
"""How long the row of a message is kept that one person alone sees: Discord never tells when such a message goes."""


class Table:
    """Rows with an `id`, an `owner`, a `channel` and a `message`; what is forgotten is gone from the file.

    `expires` is when a row goes by itself, null for one that goes with its message.
    """

    name: ClassVar[str]

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, row_id: str) -> None:
        """Nothing of it remains."""
        await self._delete("id", [row_id])

    async def forget_messages(self, messages: Iterable[int]) -> None:
        """What these messages showed."""
        await self._delete("message", messages)

    async def forget_channels(self, channels: Iterable[int]) -> None:
        """What was shown in these channels and threads."""
        await self._delete("channel", channels)

    async def forget_owner(self, owner: int) -> None:
        """All that is kept for this person."""
        await self._delete("owner", [owner])

    async def forget_expired(self, now: float) -> None:
        """What has had its time, at `now` in seconds since 1970."""
        async with self._database.writing() as connection:
            await connection.execute(f"DELETE FROM {self.name} WHERE expires < ?", (now,))

    async def count_of(self, owner: int) -> int:
        """How many rows are kept for this person."""
        [(count,)] = await self._database.read(f"SELECT count(*) FROM {self.name} WHERE owner = ?", (owner,))
        return count

    async def _delete(self, column: str, values: Iterable[int | str]) -> None:
        async with self._database.writing() as connection:
            await connection.executemany(f"DELETE FROM {self.name} WHERE {column} = ?", [(value,) for value in values])
