"""Measures how late the event loop wakes a task: the time for which everything else had to wait too."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Histogram

_PAUSE = 0.25
"""Seconds between two measurements."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class LoopLag:
    """Measures in an `async with`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "inkling_event_loop_lag_seconds",
            "How late the event loop wakes a task, measured four times a second",
            registry=registry,
            buckets=_BUCKETS,
        )

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None, /
    ) -> None:
        self._task.cancel()

    async def _measure(self) -> None:
        while True:
            due = time.perf_counter() + _PAUSE
            await asyncio.sleep(_PAUSE)
            self._lag.observe(max(0.0, time.perf_counter() - due))
