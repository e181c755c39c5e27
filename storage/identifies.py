"""The table of the turns of new gateway sessions, so that a restart does not begin them too early."""

from __future__ import annotations

import time
from collections.abc import Callable

from storage.database import Database
from storage.driver import Statements

_MOST_SECONDS = 60.0
"""The most that a turn is waited for: a later one was written with a clock that was wrong."""


class IdentifyTable:
    """When the next session of each bucket of shards may begin."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, bucket: int, pause: float) -> float:
        """Claim the next turn of a bucket, and `pause` seconds after it. Return the seconds until then."""

        def take_turn(connection: Statements) -> float:
            now = self._clock()
            row = connection.execute("SELECT next FROM identifies WHERE bucket = ?", (bucket,)).fetchone()
            turn = max(now, min(row["next"], now + _MOST_SECONDS)) if row else now
            connection.execute(
                "INSERT INTO identifies VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET next = excluded.next",
                (bucket, turn + pause),
            )
            return turn - now

        return await self._database.transact(take_turn)
