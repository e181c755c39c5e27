"""What tables have in common whose rows belong to a message of Discord's, and go with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from storage.store import Store


class Table:
    """Rows with an `id`, an `owner`, a `channel` and a `message`; what is forgotten is gone from the file."""

    name: ClassVar[str]

    def __init__(self, store: Store) -> None:
        self._store = store

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

    async def _delete(self, column: str, values: Iterable[int | str]) -> None:
        async with self._store.writing() as connection:
            await connection.executemany(f"DELETE FROM {self.name} WHERE {column} = ?", [(value,) for value in values])
