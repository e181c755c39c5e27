"""How many seconds devices worked for people and servers today. It is held in memory, and on disk for a restart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.database import Database

_DAY = 86400

NO_SERVER = 0
"""In place of a server's id: a direct message."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(now: float) -> int:
    """Return the number of the day in UTC, since 1970, at `now` in seconds since 1970."""
    return int(now // _DAY)


def end_of_day(now: float) -> float:
    """Return when the day of `now` ends, in seconds since 1970."""
    return float((day_of(now) + 1) * _DAY)


class DeviceUseTable:
    """The seconds of one day by person and server. Another day begins with nothing.

    Counting and reading need no disk, and may be done on any thread. `flush` writes what has changed since the last
    time. All other methods are coroutines of the event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._day = 0
        self._people: dict[int, dict[int, float]] = {}
        """Seconds by person and server."""
        self._servers: dict[int, float] = {}
        self._changed: set[tuple[int, int]] = set()
        """The pairs of person and server that are not on disk as they are here."""

    async def load(self) -> None:
        """Read the last day into memory. Raise StorageError."""
        query = "SELECT day, owner, server, seconds FROM device_use WHERE day = (SELECT max(day) FROM device_use)"
        rows = await self._database.read(query)
        with self._lock:
            for day, owner, server, seconds in rows:
                self._begin_day(day)
                self._count(owner, server, seconds)

    def add(self, owner: int, server: int, seconds: float, now: float) -> None:
        """Count `seconds` at `now`. The owner is 0 if nobody knows any more who it was."""
        with self._lock:
            self._begin_day(day_of(now))
            self._count(owner, server, seconds)
            self._changed.add((owner, server))

    def of_person(self, owner: int, now: float) -> float:
        """Return the seconds of this person today, on all servers and in direct messages."""
        with self._lock:
            self._begin_day(day_of(now))
            return sum(self._people.get(owner, {}).values())

    def of_person_on(self, owner: int, server: int, now: float) -> float:
        """Return the seconds of this person today on one server."""
        with self._lock:
            self._begin_day(day_of(now))
            return self._people.get(owner, {}).get(server, 0.0)

    def of_server(self, server: int, now: float) -> float:
        """Return the seconds of everybody on this server today."""
        with self._lock:
            self._begin_day(day_of(now))
            return self._servers.get(server, 0.0)

    async def flush(self) -> None:
        """Write what has changed. Raise StorageError; then the next call writes it too."""
        with self._lock:
            changed, self._changed = self._changed, set()
            day, rows = self._day, [(self._day, *pair, self._people[pair[0]][pair[1]]) for pair in changed]
        if not rows:
            return
        try:
            async with self._database.writing() as connection:
                await connection.executemany("INSERT OR REPLACE INTO device_use VALUES (?, ?, ?, ?)", rows)
        except BaseException:
            with self._lock:
                self._changed |= changed if day == self._day else set()
            raise

    async def forget_before(self, now: float) -> None:
        """Delete all days but that of `now`. Raise StorageError."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM device_use WHERE day != ?", (day_of(now),))

    async def forget_owner(self, owner: int, now: float) -> None:
        """Delete the earlier days of this person. Today's seconds stay until it ends: they are needed for the quota."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM device_use WHERE owner = ? AND day != ?", (owner, day_of(now)))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the seconds of this person by day and server, as plain data."""
        await self.flush()
        query = "SELECT day, server, seconds FROM device_use WHERE owner = ? ORDER BY day, server"
        rows = await self._database.read(query, (owner,))
        return [dict(row) | {"day": (_EPOCH + timedelta(row["day"])).date().isoformat()} for row in rows]

    def _begin_day(self, day: int) -> None:
        if day != self._day:
            self._day, self._people, self._servers, self._changed = day, {}, {}, set()

    def _count(self, owner: int, server: int, seconds: float) -> None:
        servers = self._people.setdefault(owner, {})
        servers[server] = servers.get(server, 0.0) + seconds
        self._servers[server] = self._servers.get(server, 0.0) + seconds
