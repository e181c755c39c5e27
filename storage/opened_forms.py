"""The table of messages on whose menus forms are open, so that the forms can be submitted after a restart."""

from __future__ import annotations

import secrets
import time
from typing import Any

from storage.table import ExpiringTable


class OpenedFormTable(ExpiringTable):
    """The messages, as Discord gave them, for as long as their forms are open."""

    name = "opened_forms"

    async def keep(self, owner: int, channel: int, message: int, expires: float, payload: str) -> str:
        """Store the JSON of a message until `expires`, in seconds since 1970, and return an id."""
        form_id = secrets.token_urlsafe(6)
        async with self._database.writing() as connection:
            await connection.execute(
                "INSERT INTO opened_forms (id, owner, channel, message, created, payload, expires) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (form_id, owner, channel, message, time.time(), payload, expires),
            )
        return form_id

    async def take(self, form_id: str, now: float) -> str | None:
        """Delete the message of a form and return its JSON; None if it is gone, or has expired at `now`."""
        async with self._database.writing() as connection:
            query = "DELETE FROM opened_forms WHERE id = ? AND expires > ? RETURNING payload"
            rows = await connection.fetchall(query, (form_id, now))
        return rows[0]["payload"] if rows else None

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the messages of this person's forms as plain data."""
        return [dict(row) for row in await self._database.read("SELECT * FROM opened_forms WHERE owner = ?", (owner,))]
