"""The order of requests on one device. It only keeps records: no threads, no torch, no clock of its own.

Fairness: an owner's share is their recent use in device seconds, which halves every five minutes, plus the expected
cost of their requests that run or wait before. The turn of an entry is the moment when it has waited as many seconds as
the share of its owner. The entry with the earliest turn is next, even if that moment has not come. So those who used
the device least of late are first, and each second of waiting counts like one second less of use. Only entries that
arrive before its turn can overtake an entry, so every entry runs at some time.

Owners belong to groups, such as servers, which share the device in the same way: `WaitingLine` has the order between
them. A group with a thousand owners gets no more of a busy device than one with a single owner.

Turns do not change while time passes. Only those of one owner change, when a request of this owner ends. So waiting
entries stay sorted, and all operations are fast while thousands wait; some look at all entries of one owner, or once
at each group.

Batching: entries with equal keys start together, unless they start alone: then others only join them, before which no
entry with another key waits. There is no timer, because under load the queue itself fills batches.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass
from itertools import count, takewhile
from math import exp, log1p
from typing import Generic, TypeVar

from inference.scheduling.recent_use import DECAY, RecentUse, SchedulerState
from inference.scheduling.waiting_line import WaitingLines, place_of
from inference.types.errors import Overloaded, Phrase

_DEFAULT_COST = 1.0
"""The cost in seconds of work that never ran before. Only used for fairness."""
_LEARNING_RATE = 0.3
_EXACT = 256
"""The number of first entries whose waiting times are computed one by one."""


class Entry:
    """One request in the queue, with its owner, batch key and amount of work.

    A unit of `work` takes about as long in all entries of one `kind`, whatever their keys. There are few kinds, and few
    keys of short entries.
    """

    def __init__(
        self,
        *,
        owner: str,
        key: Hashable,
        kind: str,
        short: bool,
        work: float,
        group: str = "",
        limited: bool = True,
        starts_alone: bool = False,
    ) -> None:
        self.owner = owner
        self.group = group
        self.key = key
        self.kind = kind
        self.short = short
        self.work = work
        self.limited = limited
        """Whether it is refused if the queue is full, and waits during a pause."""
        self.starts_alone = starts_alone
        """Whether `pop` starts it without others. They can still join it."""
        self.cancelled = False
        self.charged = 1.0
        """The share of its seconds that is charged to its owner."""
        self.arrived = 0.0
        self.number = -1
        """Its number in the order of arrival; -1 if it was never queued."""
        self.cost = _DEFAULT_COST
        """The seconds that it was expected to take when it arrived."""
        self.turn = 0.0
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

    def __init__(
        self, *, limit: int, per_owner: int, clock: Callable[[], float], state: SchedulerState | None = None
    ) -> None:
        state = state or SchedulerState()
        self.limit = limit
        """The most entries that wait or run."""
        self.per_owner = per_owner
        """The most of one owner."""
        self.paused = False
        """Whether nothing starts but entries without a limit, which those that run may wait for.

        Others are queued, and those that run go on; waiting times are then unknown.
        """
        self._clock = clock
        self._now = clock()
        self._numbers = count()
        self._all = WaitingLines[E](self._share_of_group)
        """All waiting entries."""
        self._unlimited = WaitingLines[E](self._share_of_group)
        """Those of them that start during a pause."""
        self._by_owner: dict[str, list[E]] = {}
        """The waiting entries of each owner in the order of arrival."""
        self._running: list[E] = []
        self._work: dict[str, tuple[int, float]] = {}
        """The number and the work of waiting entries, by kind."""
        self._usage = RecentUse(state.usage, self._now)
        self._group_usage = RecentUse(state.group_usage, self._now)
        self._seconds_per_work = dict(state.seconds_per_work)

    @property
    def waiting(self) -> list[E]:
        """Return all waiting entries in their order."""
        return self._all.line.entries()

    @property
    def running(self) -> list[E]:
        return list(self._running)

    @property
    def seconds_per_work(self) -> dict[str, float]:
        """Return the seconds that a unit of work takes, by kind, as far as it was learned."""
        return dict(self._seconds_per_work)

    @property
    def waiting_count(self) -> int:
        return len(self._all.line)

    def add(self, entry: E) -> None:
        """Queue `entry`. Raise Overloaded if the queue or its owner's part of it is full."""
        self._advance()
        own = self._by_owner.get(entry.owner, [])
        own_running = [other for other in self._running if other.owner == entry.owner]
        wait = self.backlog() or 60.0
        if entry.limited and self.waiting_count + len(self._running) >= self.limit:
            raise queue_is_full(wait)
        if entry.owner and len(own) + len(own_running) >= self.per_owner:
            raise too_many_requests(self.per_owner, wait)
        entry.arrived, entry.number = self._now, next(self._numbers)
        entry.cost = self._expected(entry) or _DEFAULT_COST
        entry.turn = self._turn(entry, sum(other.cost for other in [*own, *own_running]))
        self._insert(entry)

    def cancel(self, entry: E) -> bool:
        """Remove `entry` from the queue. Return False if it does not wait."""
        if entry not in self._all.line:
            return False
        self._remove(entry)
        self._update_turns(entry.owner)
        return True

    def pop(self, max_count: int) -> list[E]:
        """Start the next entry, and up to `max_count - 1` others with the same key unless it starts alone."""
        self._advance()
        if not self._startable.line:
            return []
        _, first = self._startable.line.first()
        if first.starts_alone:
            return self._start([first])
        lines = [by_key[first.key] for by_key in self._startable.by_key.values() if first.key in by_key]
        same = sorted((placed for line in lines for placed in line.with_places(max_count)), key=place_of)
        return self._start([first, *(entry for _, entry in same if entry is not first)][:max_count])

    def next_short(self) -> list[E]:
        """Return the next short entry of each key that may start."""
        return [line.first()[1] for line in self._startable.by_key[True].values()]

    def pop_short(self, max_count: int, keys: Container[Hashable]) -> list[E]:
        """Start the next short entry with one of these keys, and up to `max_count - 1` others with the same key."""
        self._advance()
        allowed = [line for key, line in self._startable.by_key[True].items() if key in keys]
        if not allowed:
            return []
        return self._start(min(allowed, key=lambda line: line.first()[0]).entries(0, max_count))

    def join(self, key: Hashable, max_count: int) -> list[E]:
        """Start up to `max_count` entries with `key`, as long as they are before all entries with other keys."""
        self._advance()
        return self._start([*takewhile(lambda entry: entry.key == key, self._startable.line.entries(0, max_count))])

    def put_back(self, entry: E) -> None:
        """Let a running entry wait again, in its old place."""
        self._advance()
        self._running.remove(entry)
        self._insert(entry)
        self._update_turns(entry.owner)

    def done(self, entry: E) -> bool:
        """Record that `entry` has ended: charge its owner and group, and learn its cost. May be called again.

        Return False if that is done already.
        """
        self._advance()
        if entry not in self._running:
            return False
        self._running.remove(entry)
        self._usage.add(entry.owner, entry.used * entry.charged, self._now)
        self._group_usage.add(entry.group, entry.used * entry.charged, self._now)
        self._update_turns(entry.owner)
        if not entry.cancelled:
            seconds = entry.used / entry.work
            known = self._seconds_per_work.get(entry.kind, seconds)
            self._seconds_per_work[entry.kind] = known + _LEARNING_RATE * (seconds - known)
        return True

    def charge(self, owner: str, group: str, seconds: float) -> None:
        """Count `seconds` of use elsewhere against an owner and their group."""
        self._advance()
        self._usage.add(owner, seconds, self._now)
        self._group_usage.add(group, seconds, self._now)
        self._update_turns(owner)

    def forget(self, owner: str) -> None:
        """Forget the use of `owner`. Their running requests count as anonymous ones."""
        self._usage.forget(owner)
        for entry in self._running:
            if entry.owner == owner:
                entry.owner = ""
        for changed in (owner, ""):
            self._update_turns(changed)

    def state(self) -> SchedulerState:
        """Return what is worth keeping after a restart. Use that has decayed is dropped here too."""
        self._advance()
        usage, group_usage = self._usage.drop_decayed(self._now), self._group_usage.drop_decayed(self._now)
        return SchedulerState(dict(self._seconds_per_work), usage, group_usage)

    def position(self, entry: E) -> Forecast[E]:
        """Return the forecast of one waiting entry."""
        self._advance()
        index = self._all.line.index(entry)
        return Forecast(entry, index + 1, self._etas(index + 1)(index))

    def forecast(self, start: int = 0, stop: int | None = None) -> list[Forecast[E]]:
        """Return waiting entries in their order, from index `start` to `stop`, with the time until each starts.

        After the first 256 entries, times assume that the rest have equal costs.
        """
        self._advance()
        entries, eta = self._all.line.entries(start, stop), self._etas(self.waiting_count if stop is None else stop)
        return [Forecast(entry, index + 1, eta(index)) for index, entry in enumerate(entries, start=start)]

    def _etas(self, stop: int) -> Callable[[int], float | None]:
        """Return a function from an index less than `stop` to the seconds until that waiting entry starts."""
        ahead = self._remaining()
        etas = [ahead]
        for entry in self._all.line.entries(0, min(_EXACT, stop)):
            cost = self._expected(entry)
            ahead = None if ahead is None or cost is None else ahead + cost
            etas.append(ahead)
        total, others = self.backlog(), self.waiting_count - _EXACT

        def eta(index: int) -> float | None:
            if index <= _EXACT:
                return etas[index]
            return None if ahead is None or total is None else ahead + (total - ahead) * (index - _EXACT) / others

        return eta

    def expected(self, kind: str, work: float) -> float | None:
        """Return the seconds that `work` of this kind is expected to take; None if unknown."""
        rate = self._seconds_per_work.get(kind)
        return None if rate is None else rate * work

    def backlog(self) -> float | None:
        """Return the seconds until all current entries have ended; None if unknown."""
        remaining, known = self._remaining(), self._seconds_per_work
        if remaining is None or not self._work.keys() <= known.keys():
            return None
        return remaining + sum(known[kind] * work for kind, (_, work) in self._work.items())

    @property
    def _startable(self) -> WaitingLines[E]:
        """The waiting entries that may start now."""
        return self._unlimited if self.paused else self._all

    def _turn(self, entry: E, ahead: float) -> float:
        """Return the time t at which `entry` has waited for the use of its owner at t, and for `ahead` seconds more."""
        used, at = self._usage.recorded(entry.owner)
        earliest = entry.arrived + ahead
        if not used:
            return earliest
        return earliest + _lambert_w(DECAY * used * exp(min(500.0, DECAY * (at - earliest)))) / DECAY

    def _update_turns(self, owner: str) -> None:
        """Compute the turns of the owner's waiting entries again. Those that change move in the line."""
        ahead = sum(entry.cost for entry in self._running if entry.owner == owner)
        for entry in list(self._by_owner.get(owner, ())):
            turn = self._turn(entry, ahead)
            if turn != entry.turn:
                self._remove_from_lines(entry)
                entry.turn = turn
                self._insert_into_lines(entry)
            ahead += entry.cost

    def _start(self, entries: list[E]) -> list[E]:
        for entry in entries:
            self._remove(entry)
        self._running += entries
        for owner in {entry.owner for entry in entries}:
            self._update_turns(owner)
        return entries

    def _insert(self, entry: E) -> None:
        insort(self._by_owner.setdefault(entry.owner, []), entry, key=_number)
        number, work = self._work.get(entry.kind, (0, 0.0))
        self._work[entry.kind] = (number + 1, work + entry.work)
        self._insert_into_lines(entry)

    def _remove(self, entry: E) -> None:
        own = self._by_owner[entry.owner]
        del own[bisect_left(own, entry.number, key=_number)]
        if not own:
            del self._by_owner[entry.owner]
        number, work = self._work.pop(entry.kind)
        if number > 1:
            self._work[entry.kind] = (number - 1, work - entry.work)
        self._remove_from_lines(entry)

    def _insert_into_lines(self, entry: E) -> None:
        self._all.insert(entry)
        if not entry.limited:
            self._unlimited.insert(entry)

    def _remove_from_lines(self, entry: E) -> None:
        self._all.remove(entry)
        if not entry.limited:
            self._unlimited.remove(entry)

    def _share_of_group(self, group: str) -> float:
        """Return the seconds that the group used of late, with the expected cost of what runs."""
        running = sum(entry.cost for entry in self._running if entry.group == group)
        return self._group_usage.at(group, self._now) + running

    def _expected(self, entry: E) -> float | None:
        """Return the expected total seconds of the entry, as learned from its kind; None if unknown."""
        return self.expected(entry.kind, entry.work)

    def _remaining(self) -> float | None:
        """Return the seconds until all running entries have ended; None if unknown."""
        costs = [(self._expected(entry), entry.used) for entry in self._running]
        if self.paused or any(cost is None for cost, _ in costs):
            return None
        return sum(max(0.0, (cost or 0.0) - used) for cost, used in costs)

    def _advance(self) -> None:
        """Divide the time since the last call among the running entries."""
        now = self._clock()
        elapsed, self._now = now - self._now, now
        for entry in self._running:
            entry.used += elapsed / len(self._running)


def queue_is_full(wait: float) -> Overloaded:
    """Return the refusal of a request, as the queue is full for about `wait` seconds."""
    return Overloaded("The queue is full. Try again in about {wait}.", wait, wait=_duration(wait))


def too_many_requests(count: int, wait: float) -> Overloaded:
    """Return the refusal of a request of somebody who has `count` there already."""
    return Overloaded("You already have {count} requests here. Wait for one of them to end.", wait, count=count)


def _number(entry: Entry) -> int:
    return entry.number


def _lambert_w(z: float) -> float:
    """Return w such that w · exp(w) = z, for z ≥ 0."""
    w = log1p(z)
    for _ in range(10):  # Newton's method
        w -= (w - z * exp(-w)) / (w + 1)
    return w


def _duration(seconds: float) -> Phrase:
    if seconds < 90:
        return Phrase("{count:.0f} seconds", count=seconds)
    return Phrase("{count:.0f} minutes", count=seconds / 60)
