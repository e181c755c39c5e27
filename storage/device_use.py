"""How many seconds devices worked for people and servers today. It is held in memory, and on disk for a restart."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.database import Database

_ADD = """
INSERT INTO device_use VALUES (?, ?, ?, ?)
ON CONFLICT (day, owner, server) DO UPDATE SET seconds = device_use.seconds + excluded.seconds
"""

_DAY = 86400

_LEAST = 1e-6
"""Fewer seconds are differences of rounding."""

NO_SERVER = 0
"""In place of a server's id: a direct message."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(now: float) -> int:
    """Return the number of the day in UTC, since 1970, at `now` in seconds since 1970."""
    return int(now // _DAY)


def end_of_day(now: float) -> float:
    """Return when the day of `now` ends, in seconds since 1970."""
    return float((day_of(now) + 1) * _DAY)


@dataclass(frozen=True, slots=True)
class DeviceSeconds:
    """Seconds that devices worked for a person on a server. Either id is 0 for nobody, or for a direct message."""

    owner: int
    server: int
    seconds: float


class _Day:
    """The seconds of one day."""

    def __init__(self) -> None:
        self.people: dict[int, dict[int, float]] = {}
        """By person and server."""
        self.servers: dict[int, float] = {}

    def count(self, owner: int, server: int, seconds: float) -> None:
        servers = self.people.setdefault(owner, {})
        servers[server] = servers.get(server, 0.0) + seconds
        self.servers[server] = self.servers.get(server, 0.0) + seconds


class DeviceUseTable:
    """The seconds of today by person and server. Another day begins with nothing.

    The clocks of processes differ a little: the next day may have begun for others, and its seconds are kept for later.

    Counting and reading need no database, and may be done on any thread. `flush` adds what was counted since the last
    time to the table, where other processes may add theirs. All other methods are coroutines of the event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._storing = asyncio.Lock()
        self._days: defaultdict[int, _Day] = defaultdict(_Day)
        self._newest = 0
        """The day of the last call with a time. Those before it are forgotten, and stay so."""
        self._unwritten: defaultdict[tuple[int, int, int], float] = defaultdict(float)
        """The seconds, by day, person and server, that are not in the table."""

    async def load(self) -> list[DeviceSeconds]:
        """Read the table into memory, and return what was not known yet. Raise StorageError."""
        query = "SELECT day, owner, server, seconds FROM device_use"
        async with self._storing:
            return [new for row in await self._database.read(query) if (new := self._take_over(*row))]

    async def refresh(self, day: int, owner: int, server: int, seconds: float) -> DeviceSeconds | None:
        """Note that the table has these `seconds` now. Return what another process has added; None for nothing."""
        async with self._storing:
            return self._take_over(day, owner, server, seconds)

    def add(self, owner: int, server: int, seconds: float, now: float) -> None:
        """Count `seconds` at `now`. The owner is 0 if nobody knows any more who it was."""
        with self._lock:
            self._today(now).count(owner, server, seconds)
            self._unwritten[day_of(now), owner, server] += seconds

    def of_person(self, owner: int, now: float) -> float:
        """Return the seconds of this person today, on all servers and in direct messages."""
        with self._lock:
            return sum(self._today(now).people.get(owner, {}).values())

    def of_person_on(self, owner: int, server: int, now: float) -> float:
        """Return the seconds of this person today on one server."""
        with self._lock:
            return self._today(now).people.get(owner, {}).get(server, 0.0)

    def of_server(self, server: int, now: float) -> float:
        """Return the seconds of everybody on this server today."""
        with self._lock:
            return self._today(now).servers.get(server, 0.0)

    async def flush(self) -> None:
        """Write what was counted. Raise StorageError; then the next call writes it too."""
        async with self._storing:
            with self._lock:
                unwritten = dict(self._unwritten)
            if not unwritten:
                return
            async with self._database.writing() as connection:
                await connection.executemany(_ADD, [(*key, seconds) for key, seconds in unwritten.items()])
            with self._lock:
                for key, seconds in unwritten.items():
                    if rest := self._unwritten.pop(key) - seconds:  # counted meanwhile
                        self._unwritten[key] = rest

    async def forget_before(self, now: float) -> None:
        """Delete the days before that of `now`. Raise StorageError."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM device_use WHERE day < ?", (day_of(now),))

    async def forget_owner(self, owner: int, now: float) -> None:
        """Delete the earlier days of this person. Today's seconds stay until it ends: they are needed for the quota."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM device_use WHERE owner = ? AND day < ?", (owner, day_of(now)))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the seconds of this person by day and server, as plain data."""
        await self.flush()
        query = "SELECT day, server, seconds FROM device_use WHERE owner = ? ORDER BY day, server"
        rows = await self._database.read(query, (owner,))
        return [dict(row) | {"day": (_EPOCH + timedelta(row["day"])).date().isoformat()} for row in rows]

    def _take_over(self, day: int, owner: int, server: int, stored: float) -> DeviceSeconds | None:
        with self._lock:
            if day < self._newest:
                return None
            known = self._days[day].people.get(owner, {}).get(server, 0.0)
            unwritten = self._unwritten.get((day, owner, server), 0.0)
            if (added := stored + unwritten - known) < _LEAST:  # rounding; or `stored` is old, since seconds only grow
                return None
            self._days[day].count(owner, server, added)
        return DeviceSeconds(owner, server, added)

    def _today(self, now: float) -> _Day:
        """Return the day of `now`, and forget those before it."""
        self._newest = today = day_of(now)
        for day in [day for day in self._days if day < today]:
            del self._days[day]
        return self._days[today]
