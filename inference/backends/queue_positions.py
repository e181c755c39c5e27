"""Tells waiting jobs their positions in the queue, a bounded number at a time, however many wait."""

from __future__ import annotations

import threading

from inference.backends.local_job import LocalJob
from inference.scheduling.scheduler import Forecast, Scheduler
from inference.types import Queued

_PAUSE = 1.0
"""The least time in seconds between two rounds."""
_NEXT = 16
"""The first jobs, which hear of a change at once. The others hear of it in the next round."""
_CHUNK = 128
"""The most jobs that are told while the lock is held: less than a millisecond."""


class QueuePositions:
    """Sends each waiting job its position when it changes. What it sends is true at that moment.

    A job is told its position at once when it arrives, and the first jobs when a batch starts or ends. For all others,
    a thread makes a round at most every second: it tells the first 256 jobs, and the next 256 in turn. Without changes,
    all know their true position after some rounds.
    """

    def __init__(self, scheduler: Scheduler[LocalJob], lock: threading.Lock, name: str) -> None:
        self._scheduler = scheduler
        self._lock = lock
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._later = 0
        """The index from which the next round goes on."""
        self._thread = threading.Thread(target=self._make_rounds, name=name, daemon=True)
        self._thread.start()

    def tell(self, job: LocalJob) -> None:
        """Tell a waiting job its position. Called under the lock, to keep events in order."""
        _tell([self._scheduler.position(job)])

    def tell_next(self) -> None:
        """Tell the first jobs their positions. Called under the lock."""
        _tell(self._scheduler.forecast(0, _NEXT))

    def changed(self) -> None:
        """Let the others be told soon."""
        self._changed.set()

    def close(self) -> None:
        self._closing.set()
        self._changed.set()
        self._thread.join()

    def _make_rounds(self) -> None:
        while True:
            self._changed.wait()
            if self._closing.wait(_PAUSE):
                return
            self._changed.clear()
            self._make_round()

    def _make_round(self) -> None:
        for start in (0, _CHUNK, self._later + 2 * _CHUNK, self._later + 3 * _CHUNK):
            with self._lock:
                _tell(self._scheduler.forecast(start, start + _CHUNK))
        waiting = self._scheduler.waiting_count
        self._later = self._later + 2 * _CHUNK if self._later + 4 * _CHUNK < waiting else 0
        if waiting > 2 * _CHUNK:
            self._changed.set()


def _tell(forecasts: list[Forecast[LocalJob]]) -> None:
    for forecast in forecasts:
        if forecast.entry.position != forecast.position:
            forecast.entry.position = forecast.position
            forecast.entry.emit(Queued(forecast.position, forecast.eta))
