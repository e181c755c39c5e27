"""The table of what reasoning models thought before they answered, which a button below the answer shows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from storage.table import ANSWER_SECONDS, PRIVATE_SECONDS, ExpiringTable, upsert

_KEEP = upsert("thoughts", ("id", "owner", "channel", "message", "created", "text", "expires"))


@dataclass(frozen=True, slots=True)
class StoredThoughts:
    """The thoughts before the answer that `message` shows to `owner`: Discord's ids, and a text."""

    owner: int
    channel: int
    message: int
    text: str


class ThoughtTable(ExpiringTable):
    """One row for each answer with thoughts. The id of a row is that of its message."""

    name = "thoughts"

    async def keep(self, owner: int, channel: int, message: int, text: str, *, private: bool = False) -> None:
        """Store the thoughts before the answer in `message`, instead of earlier ones of that message.

        They stay for 30 days; for one day if the message is `private`.
        """
        created = time.time()
        expires = created + (PRIVATE_SECONDS if private else ANSWER_SECONDS)
        row = (message, owner, channel, message, created, text, expires)
        await self._database.transact(lambda connection: connection.execute(_KEEP, row))

    async def of_message(self, message: int) -> StoredThoughts | None:
        """Return the thoughts before the answer in this message; None if there are none, or none any more."""
        query = "SELECT owner, channel, message, text FROM thoughts WHERE id = ?"
        rows = await self._database.read(query, (message,))
        return StoredThoughts(*rows[0]) if rows else None

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the thoughts before answers to this person, oldest first, as plain data."""
        query = "SELECT channel, message, created, text, expires FROM thoughts WHERE owner = ? ORDER BY created"
        return [dict(row) for row in await self._database.read(query, (owner,))]
