"""The base class of tables whose rows belong to a Discord message and are deleted with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from storage.database import Database

PRIVATE_SECONDS = 24 * 3600.0
"""How long rows of private messages are stored. Discord does not report when such a message is deleted."""

ANSWER_SECONDS = 30 * 24 * 3600.0
"""How long rows of public answers are stored at most."""


def upsert(table: str, columns: Iterable[str], key: Iterable[str] = ("id",)) -> str:
    """Return the statement that stores a row of these columns in place of one with the same key."""
    columns, key = list(columns), list(key)
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
    places = ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    return f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


class Table:
    """Rows with `id`, `owner`, `channel` and `message`. Deleted data is removed from the file."""

    name: ClassVar[str]

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, row_id: int | str) -> None:
        """Delete one row."""
        await self._delete("id", [row_id])

    async def forget_messages(self, messages: Iterable[int]) -> None:
        """Delete everything shown in these messages."""
        await self._delete("message", messages)

    async def forget_channels(self, channels: Iterable[int]) -> None:
        """Delete everything shown in these channels and threads."""
        await self._delete("channel", channels)

    async def forget_owner(self, owner: int) -> None:
        """Delete everything that is stored for this person."""
        await self._delete("owner", [owner])

    async def count_of(self, owner: int) -> int:
        """Return the number of rows of this person."""
        [(count,)] = await self._database.read(f"SELECT count(*) FROM {self.name} WHERE owner = ?", (owner,))
        return count

    async def _delete(self, column: str, values: Iterable[int | str]) -> None:
        query, rows = f"DELETE FROM {self.name} WHERE {column} = ?", [(value,) for value in values]
        await self._database.transact(lambda connection: connection.executemany(query, rows))


class ExpiringTable(Table):
    """Rows with `expires`, when they are deleted; null means that they are deleted with their message."""

    async def forget_expired(self, now: float) -> None:
        """Delete everything that has expired at `now`, in seconds since 1970."""
        async with self._database.writing() as connection:
            await connection.execute(f"DELETE FROM {self.name} WHERE expires < ?", (now,))
