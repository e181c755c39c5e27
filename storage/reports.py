"""The table of who has reported which message, so that nobody floods the admins. The reports are in Discord."""

from __future__ import annotations

import secrets
from typing import Any

from storage.table import ExpiringTable

HOUR = 3600.0
_SECONDS = 30 * 24 * HOUR
"""How long it is known that somebody has reported a message."""


class ReportTable(ExpiringTable):
    """One row for each message and each person who has reported it. The owner is that person."""

    name = "reports"

    async def add(self, reporter: int, channel: int, message: int, now: float) -> bool:
        """Note that this person reports the message. Return False if that was noted before."""
        async with self._database.writing() as connection:
            added = await connection.execute(
                "INSERT INTO reports (id, owner, channel, message, created, expires) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (secrets.token_urlsafe(6), reporter, channel, message, now, now + _SECONDS),
            )
        return added.rowcount > 0

    async def has(self, reporter: int, message: int) -> bool:
        """Return whether this person has reported the message."""
        query = "SELECT 1 FROM reports WHERE owner = ? AND message = ?"
        return bool(await self._database.read(query, (reporter, message)))

    async def count_in_last_hour(self, reporter: int, now: float) -> int:
        """Return how many messages this person has reported in the hour before `now`."""
        query = "SELECT count(*) FROM reports WHERE owner = ? AND created > ?"
        [(count,)] = await self._database.read(query, (reporter, now - HOUR))
        return count

    async def withdraw(self, reporter: int, message: int) -> None:
        """Forget a report that could not be delivered."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM reports WHERE owner = ? AND message = ?", (reporter, message))

    async def forget_reporter(self, reporter: int, now: float) -> None:
        """Delete the rows of this person; those of the last hour, which are counted, as soon as it is over."""
        async with self._database.writing() as connection:
            await connection.execute("UPDATE reports SET expires = created + ? WHERE owner = ?", (HOUR, reporter))
            await connection.execute("DELETE FROM reports WHERE owner = ? AND expires < ?", (reporter, now))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the reports by this person, oldest first, as plain data."""
        query = "SELECT channel, message, created, expires FROM reports WHERE owner = ? ORDER BY created"
        return [dict(row) for row in await self._database.read(query, (owner,))]
