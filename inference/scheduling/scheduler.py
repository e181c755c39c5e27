"""The order of requests on one device. It only keeps records: no threads, no torch, no clock of its own.

Fairness: an owner's share is their recent use in device seconds, which halves every five minutes, plus the expected
cost of their running requests. The entry whose owner has the smallest share is next. Each second of waiting counts
like one second less of use, so every entry runs at some time.

Batching: entries with equal keys start together. There is no timer, because under load the queue itself fills batches.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from inference.types.errors import Overloaded, Phrase

_HALF_LIFE = 300.0
_DEFAULT_COST = 1.0
"""The cost in seconds of work that never ran before. Only used for fairness."""
_LEARNING_RATE = 0.3


class Entry:
    """One request in the queue, with its owner, batch key and amount of work.

    A unit of `work` takes about as long in all entries of one `kind`, whatever their keys. There are few kinds.
    """

    def __init__(self, *, owner: str, key: Hashable, kind: Hashable, short: bool, work: float) -> None:
        self.owner = owner
        self.key = key
        self.kind = kind
        self.short = short
        self.work = work
        self.cancelled = False
        self.charged = 1.0
        """The share of its seconds that is charged to its owner."""
        self.arrived = 0.0
        self.used = 0.0
        """Device seconds so far: its part of the time of each batch."""


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Forecast(Generic[E]):
    """A waiting entry's position (1 is next), and seconds until it starts; None if unknown."""

    entry: E
    position: int
    eta: float | None


class Scheduler(Generic[E]):
    """The queue of one device. Not thread-safe: its owner holds a lock."""

    def __init__(self, *, limit: int, per_owner: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._per_owner = per_owner
        self._clock = clock
        self._waiting: list[E] = []
        self._running: list[E] = []
        self._usage: dict[str, float] = {}
        self._seconds_per_work: dict[Hashable, float] = {}
        self._now = clock()

    @property
    def waiting(self) -> list[E]:
        return list(self._drop_cancelled())

    @property
    def running(self) -> list[E]:
        return list(self._running)

    def add(self, entry: E) -> None:
        """Queue `entry`. Raise Overloaded if the queue or its owner's part of it is full."""
        self._advance()
        current = [*self._drop_cancelled(), *self._running]
        wait = self.backlog() or 60.0
        if len(current) >= self._limit:
            raise Overloaded("The queue is full. Try again in about {wait}.", wait, wait=_duration(wait))
        if entry.owner and sum(other.owner == entry.owner for other in current) >= self._per_owner:
            raise Overloaded(
                "You already have {count} requests here. Wait for one of them to end.", wait, count=self._per_owner
            )
        entry.arrived = self._now
        self._waiting.append(entry)

    def pop(self, max_count: int, allowed: Callable[[E], bool] = lambda _: True) -> list[E]:
        """Start the next entry that is `allowed`, and up to `max_count - 1` others with the same key."""
        self._advance()
        order = [entry for entry in self._order() if allowed(entry)]
        if not order:
            return []
        return self._start([entry for entry in order if entry.key == order[0].key][:max_count])

    def join(self, key: Hashable, max_count: int) -> list[E]:
        """Start up to `max_count` entries with `key`, as long as they are before all entries with other keys."""
        self._advance()
        order = self._order()
        first_other = next((i for i, entry in enumerate(order) if entry.key != key), len(order))
        return self._start(order[: min(first_other, max_count)])

    def put_back(self, entry: E) -> None:
        """Let a running entry wait again, in its old place."""
        self._advance()
        self._running.remove(entry)
        self._waiting.append(entry)

    def done(self, entry: E) -> None:
        """Record that `entry` has ended: charge its owner and learn its cost. May be called again."""
        self._advance()
        if entry not in self._running:
            return
        self._running.remove(entry)
        self._usage[entry.owner] = self._usage.get(entry.owner, 0.0) + entry.used * entry.charged
        if not entry.cancelled:
            seconds = entry.used / entry.work
            known = self._seconds_per_work.get(entry.kind, seconds)
            self._seconds_per_work[entry.kind] = known + _LEARNING_RATE * (seconds - known)

    def forecast(self) -> list[Forecast[E]]:
        """Return all waiting entries in their current order, with the time until each starts."""
        self._advance()
        ahead = self._remaining(self._running)
        forecasts: list[Forecast[E]] = []
        for position, entry in enumerate(self._order(), start=1):
            forecasts.append(Forecast(entry, position, ahead))
            cost = self._cost(entry)
            ahead = None if ahead is None or cost is None else ahead + cost
        return forecasts

    def backlog(self) -> float | None:
        """Return the seconds until all current entries have ended; None if unknown."""
        return self._remaining([*self._drop_cancelled(), *self._running])

    def _drop_cancelled(self) -> list[E]:
        self._waiting = [entry for entry in self._waiting if not entry.cancelled]
        return self._waiting

    def _order(self) -> list[E]:
        """Return waiting entries in order. The owner with the smallest share is next; each entry adds to its share."""
        shares = dict(self._usage)
        for entry in self._running:
            shares[entry.owner] = shares.get(entry.owner, 0.0) + (self._cost(entry) or _DEFAULT_COST)
        remaining, order = list(self._drop_cancelled()), []
        while remaining:
            entry = min(remaining, key=lambda e: (shares.get(e.owner, 0.0) - (self._now - e.arrived), e.arrived))
            remaining.remove(entry)
            order.append(entry)
            shares[entry.owner] = shares.get(entry.owner, 0.0) + (self._cost(entry) or _DEFAULT_COST)
        return order

    def _start(self, entries: list[E]) -> list[E]:
        self._waiting = [entry for entry in self._waiting if entry not in entries]
        self._running += entries
        return entries

    def _cost(self, entry: E) -> float | None:
        """Return the expected total seconds of the entry, as learned from its kind; None if unknown."""
        rate = self._seconds_per_work.get(entry.kind)
        return None if rate is None else rate * entry.work

    def _remaining(self, entries: list[E]) -> float | None:
        costs = [(self._cost(entry), entry.used) for entry in entries]
        if any(cost is None for cost, _ in costs):
            return None
        return sum(max(0.0, (cost or 0.0) - used) for cost, used in costs)

    def _advance(self) -> None:
        """Divide the time since the last call among the running entries, and let past usage decay."""
        now = self._clock()
        elapsed, self._now = now - self._now, now
        for entry in self._running:
            entry.used += elapsed / len(self._running)
        decay = 0.5 ** (elapsed / _HALF_LIFE)
        self._usage = {owner: used * decay for owner, used in self._usage.items() if used * decay > 0.01}


def _duration(seconds: float) -> Phrase:
    if seconds < 90:
        return Phrase("{count:.0f} seconds", count=seconds)
    return Phrase("{count:.0f} minutes", count=seconds / 60)
