"""The table of the turns of new gateway sessions, which all processes of a bot take one after another."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from storage.database import Database


class IdentifyTable:
    """When the next session of each bucket of shards may begin."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, bucket: int, pause: float) -> float:
        """Claim the next turn of a bucket, and `pause` seconds after it. Return the seconds until then."""

        def take_turn(connection: sqlite3.Connection) -> float:
            now = self._clock()
            row = connection.execute("SELECT next FROM identifies WHERE bucket = ?", (bucket,)).fetchone()
            turn = max(now, row["next"]) if row else now
            connection.execute(
                "INSERT INTO identifies VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET next = excluded.next",
                (bucket, turn + pause),
            )
            return turn - now

        return await self._database.transact(take_turn)
