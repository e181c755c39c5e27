"""The table of who has reported which message, so that nobody reports one twice. The reports are in Discord."""

from __future__ import annotations

import secrets
import time
from typing import Any

from storage.table import ExpiringTable

_SECONDS = 30 * 24 * 3600.0
"""How long it is known that somebody has reported a message."""


class ReportTable(ExpiringTable):
    """One row for each message and each person who has reported it. The owner is that person."""

    name = "reports"

    async def add(self, reporter: int, channel: int, message: int) -> bool:
        """Note that this person reports the message. Return False if that was noted before."""
        created = time.time()
        async with self._database.writing() as connection:
            added = await connection.execute(
                "INSERT OR IGNORE INTO reports (id, owner, channel, message, created, expires) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (secrets.token_urlsafe(6), reporter, channel, message, created, created + _SECONDS),
            )
        return added.rowcount > 0

    async def withdraw(self, reporter: int, message: int) -> None:
        """Forget a report that could not be delivered."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM reports WHERE owner = ? AND message = ?", (reporter, message))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the reports by this person, oldest first, as plain data."""
        query = "SELECT channel, message, created, expires FROM reports WHERE owner = ? ORDER BY created"
        return [dict(row) for row in await self._database.read(query, (owner,))]
