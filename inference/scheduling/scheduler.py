"""Who runs next on one device: pure bookkeeping, without threads, torch or a clock of its own.

Fairness: an owner's share is the device seconds they used lately (decaying by half every five
minutes) plus what they have running; the entry whose owner has the smallest share goes first. Each
second an entry waits counts for it like a second less used, so nobody waits for ever.

Batching: entries with equal keys leave together; there is no timer, because under load the queue
fills batches by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from inference.types.errors import Overloaded, Phrase

_HALF_LIFE = 300.0
_UNKNOWN_COST = 1.0
"""Seconds assumed, for fairness only, of work that never ran before."""
_LEARNING_RATE = 0.3


class Entry:
    """One request in the queue: whose it is, what it may run with (`key`), and how much there is to do.

    A unit of `work` takes about as long in all entries of a `kind`, of which there are few, whatever their keys.
    """

    def __init__(self, *, owner: str, key: Hashable, kind: Hashable, short: bool, work: float) -> None:
        self.owner = owner
        self.key = key
        self.kind = kind
        self.short = short
        self.work = work
        self.cancelled = False
        self.charged = 1.0
        """The share of its seconds that its owner is charged."""
        self.arrived = 0.0
        self.used = 0.0
        """Device seconds so far, its part of each batch it ran in."""


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Forecast(Generic[E]):
    """A waiting entry's place (1 = next) and the seconds until it starts, None before anything is known."""

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
        return list(self._alive())

    @property
    def running(self) -> list[E]:
        return list(self._running)

    def add(self, entry: E) -> None:
        """Queue `entry`; raises Overloaded when the queue, or its owner's part of it, is full."""
        self._advance()
        present = [*self._alive(), *self._running]
        wait = self.backlog() or 60.0
        if len(present) >= self._limit:
            raise Overloaded("The queue is full. Try again in about {wait}.", wait, wait=_words(wait))
        if entry.owner and sum(other.owner == entry.owner for other in present) >= self._per_owner:
            raise Overloaded(
                "You already have {count} requests here. Wait for one of them to end.", wait, count=self._per_owner
            )
        entry.arrived = self._now
        self._waiting.append(entry)

    def pop(self, most: int, allowed: Callable[[E], bool] = lambda _: True) -> list[E]:
        """Start the next entry that is `allowed`, with up to `most - 1` others that may run with it."""
        self._advance()
        order = [entry for entry in self._order() if allowed(entry)]
        if not order:
            return []
        return self._start([entry for entry in order if entry.key == order[0].key][:most])

    def join(self, key: Hashable, most: int) -> list[E]:
        """Start up to `most` entries with `key` that nobody with another key should precede."""
        self._advance()
        order = self._order()
        stranger = next((i for i, entry in enumerate(order) if entry.key != key), len(order))
        return self._start(order[: min(stranger, most)])

    def done(self, entry: E) -> None:
        """`entry` ended: charge its owner, and learn how long such work takes. May be repeated."""
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
        """Every waiting entry in the order of now, with the time until it starts."""
        self._advance()
        ahead = self._remaining(self._running)
        forecasts: list[Forecast[E]] = []
        for position, entry in enumerate(self._order(), start=1):
            forecasts.append(Forecast(entry, position, ahead))
            cost = self._cost(entry)
            ahead = None if ahead is None or cost is None else ahead + cost
        return forecasts

    def backlog(self) -> float | None:
        """Seconds until everything that is here now has ended."""
        return self._remaining([*self._alive(), *self._running])

    def _alive(self) -> list[E]:
        self._waiting = [entry for entry in self._waiting if not entry.cancelled]
        return self._waiting

    def _order(self) -> list[E]:
        """Waiting entries, next first: repeatedly the owner with the smallest share, counting what it just got."""
        shares = dict(self._usage)
        for entry in self._running:
            shares[entry.owner] = shares.get(entry.owner, 0.0) + (self._cost(entry) or _UNKNOWN_COST)
        left, order = list(self._alive()), []
        while left:
            entry = min(left, key=lambda e: (shares.get(e.owner, 0.0) - (self._now - e.arrived), e.arrived))
            left.remove(entry)
            order.append(entry)
            shares[entry.owner] = shares.get(entry.owner, 0.0) + (self._cost(entry) or _UNKNOWN_COST)
        return order

    def _start(self, entries: list[E]) -> list[E]:
        self._waiting = [entry for entry in self._waiting if entry not in entries]
        self._running += entries
        return entries

    def _cost(self, entry: E) -> float | None:
        """Seconds the entry takes in all, as learned from its kind."""
        rate = self._seconds_per_work.get(entry.kind)
        return None if rate is None else rate * entry.work

    def _remaining(self, entries: list[E]) -> float | None:
        costs = [(self._cost(entry), entry.used) for entry in entries]
        if any(cost is None for cost, _ in costs):
            return None
        return sum(max(0.0, (cost or 0.0) - used) for cost, used in costs)

    def _advance(self) -> None:
        """Share the time since the last call among what ran, and let past usage fade."""
        now = self._clock()
        elapsed, self._now = now - self._now, now
        for entry in self._running:
            entry.used += elapsed / len(self._running)
        fade = 0.5 ** (elapsed / _HALF_LIFE)
        self._usage = {owner: used * fade for owner, used in self._usage.items() if used * fade > 0.01}


def _words(seconds: float) -> Phrase:
    if seconds < 90:
        return Phrase("{count:.0f} seconds", count=seconds)
    return Phrase("{count:.0f} minutes", count=seconds / 60)
