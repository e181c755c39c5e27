"""The order of people at a few places. It only keeps records: no threads, no event loop, no clock of its own.

The owner who used the places least of late is next. Use counts in seconds, and halves every five minutes. If there are
several places, one owner never has all of them, so that somebody else finds one at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_HALF_LIFE = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One use of a place, waiting or running. `start` is called when it gets the place."""

    owner: str
    start: Callable[[], None]


class FairQueue:
    """The turns at a number of places. Not thread-safe."""

    def __init__(self, places: int, clock: Callable[[], float]) -> None:
        self._places = places
        self._clock = clock
        self._waiting: list[Turn] = []
        self._running: list[Turn] = []
        self._usage: dict[str, float] = {}
        self._now = clock()

    def add(self, owner: str, start: Callable[[], None]) -> Turn:
        """Add a turn of `owner`. It starts now or later."""
        turn = Turn(owner, start)
        self._waiting.append(turn)
        self._start_next()
        return turn

    def end(self, turn: Turn) -> None:
        """End a turn, whether it is waiting or running. Others may start."""
        self._advance()
        (self._running if turn in self._running else self._waiting).remove(turn)
        self._start_next()

    def _start_next(self) -> None:
        self._advance()
        while len(self._running) < self._places and (allowed := list(filter(self._allowed, self._waiting))):
            turn = min(allowed, key=lambda turn: (self._usage.get(turn.owner, 0.0), self._running_of(turn.owner)))
            self._waiting.remove(turn)
            self._running.append(turn)
            turn.start()

    def _allowed(self, turn: Turn) -> bool:
        return self._running_of(turn.owner) < max(1, self._places - 1)

    def _running_of(self, owner: str) -> int:
        return sum(turn.owner == owner for turn in self._running)

    def _advance(self) -> None:
        """Let past use decay, and charge the time since the last call to the owners of running turns."""
        now = self._clock()
        elapsed, self._now = now - self._now, now
        decay = 0.5 ** (elapsed / _HALF_LIFE)
        self._usage = {owner: used * decay for owner, used in self._usage.items() if used * decay > 0.01}
        for turn in self._running:
            self._usage[turn.owner] = self._usage.get(turn.owner, 0.0) + elapsed
