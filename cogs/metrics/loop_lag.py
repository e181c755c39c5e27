"""Measures how late the event loop does what it is asked to: the time for which everything else has to wait too."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Histogram

_PAUSE = 0.25
"""Seconds between two measurements."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


@contextmanager
def measured_loop_lag(registry: CollectorRegistry) -> Generator[None]:
    """Measure the running event loop.

    A thread asks, so that the questions go on while the loop is blocked: a long block counts for each of them.
    """
    lag = Histogram(
        "inkling_event_loop_lag_seconds",
        "Seconds until the event loop does what a thread asks it to, four times a second",
        registry=registry,
        buckets=_BUCKETS,
    )
    loop, stopped = asyncio.get_running_loop(), threading.Event()

    def ask() -> None:
        while not stopped.wait(_PAUSE):
            try:
                loop.call_soon_threadsafe(answer, time.perf_counter())
            except RuntimeError:  # the loop is closed
                return

    def answer(asked: float) -> None:
        lag.observe(time.perf_counter() - asked)

    threading.Thread(target=ask, name="loop-lag", daemon=True).start()
    try:
        yield
    finally:
        stopped.set()
