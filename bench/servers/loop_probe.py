"""How late the event loop wakes up, while it does other work."""

from __future__ import annotations

import asyncio
import time

_TICK = 0.005


class LoopProbe:
    """Measures the running event loop until it is stopped. `lags` are in seconds, `_TICK` seconds apart.

    A block of the loop counts for each wake-up that falls into it, as for each event that would have come then.
    """

    def __init__(self) -> None:
        self.lags: list[float] = []
        self._task = asyncio.create_task(self._measure())

    def take(self) -> list[float]:
        """Return the lags since the last call."""
        lags, self.lags = self.lags, []
        return lags

    def stop(self) -> None:
        self._task.cancel()

    async def _measure(self) -> None:
        due = time.perf_counter()
        while True:
            due += _TICK
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.lags.append(time.perf_counter() - due)
