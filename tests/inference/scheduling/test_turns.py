"""Compare the scheduler with its rule, computed anew from all that happened, on generated histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from inference.scheduling.scheduler import Entry, Scheduler

OWNERS = st.sampled_from(["", "ann", "bob", "cy"])
GROUPS = st.sampled_from(["", "home", "club"])
KEYS = st.sampled_from(["gpt2", "opt", "bert"])
SECONDS = st.floats(0.1, 400)


@dataclass
class Reference:
    """The rule of fairness, as the scheduler's docstring has it."""

    waiting: list[Entry] = field(default_factory=list[Entry])
    running: list[Entry] = field(default_factory=list[Entry])
    charges: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    """Owners, seconds and the times at which they were charged."""
    group_charges: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    """The same of groups."""

    def share(self, entry: Entry, now: float) -> float:
        used = _left(self.charges, entry.owner, now)
        before = [other for other in self.waiting if other.number < entry.number]
        return used + sum(other.cost for other in [*before, *self.running] if other.owner == entry.owner)

    def is_turn(self, entry: Entry, moment: float) -> bool:
        """Return whether the entry has then waited as many seconds as the share of its owner: the only such moment."""
        return abs(moment - entry.arrived - self.share(entry, moment)) < 1e-6

    def order(self, entries: Sequence[Entry], now: float) -> list[Entry]:
        """Return the order of `entries` if only they wait."""
        return [entry for _, entry in sorted(self.placed(entries, now), key=lambda placed: placed[0])]

    def placed(self, entries: Sequence[Entry], now: float) -> list[tuple[tuple[float, int], Entry]]:
        """Return the entries with their places: since when the group waits, its share, and the costs before."""
        placed: list[tuple[tuple[float, int], Entry]] = []
        for group in {entry.group for entry in entries}:
            line = sorted((entry for entry in entries if entry.group == group), key=lambda e: (e.turn, e.number))
            running = sum(entry.cost for entry in self.running if entry.group == group)
            share = _left(self.group_charges, group, now) + running
            mean = sum(round(entry.cost * 1e6) for entry in line) / len(line) / 1e6
            first = min(entry.arrived for entry in line) + share
            placed += [((first + mean * i, entry.number), entry) for i, entry in enumerate(line)]
        return placed


def _left(charges: list[tuple[str, float, float]], name: str, now: float) -> float:
    return sum(seconds * 0.5 ** ((now - at) / 300) for charged, seconds, at in charges if charged == name)


class History(RuleBasedStateMachine):
    """Random operations on a scheduler. After each, its order is that of the reference."""

    waiting, running = Bundle[Entry]("waiting"), Bundle[Entry]("running")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.scheduler = Scheduler[Entry](limit=100, per_owner=100, clock=lambda: self.now)
        self.reference = Reference()

    @rule(seconds=SECONDS)
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.scheduler.paused = paused

    @rule(owner=OWNERS, group=GROUPS, key=KEYS, short=st.booleans(), work=SECONDS, limited=st.booleans())
    def add(self, owner: str, group: str, key: str, short: bool, work: float, limited: bool) -> None:
        entry = Entry(owner=owner, group=group, key=key, kind=key, short=short, work=work, limited=limited)
        self.scheduler.add(entry)
        self.reference.waiting.append(entry)

    @rule(target=running, max_count=st.integers(1, 4))
    def pop(self, max_count: int) -> Any:
        order = self.startable()
        if not order:
            return self._started(self.scheduler.pop(max_count), [])
        same = [[e for e in order if e.key == order[0].key and e.short == short] for short in (True, False)]
        placed = [placed for entries in same for placed in self.reference.placed(entries, self.now)]
        others = [entry for _, entry in sorted(placed, key=lambda placed: placed[0]) if entry is not order[0]]
        return self._started(self.scheduler.pop(max_count), [order[0], *others][:max_count])

    @rule(target=running, max_count=st.integers(1, 4), keys=st.sets(KEYS))
    def pop_short(self, max_count: int, keys: set[str]) -> Any:
        short = [entry for entry in self.startable() if entry.short]
        lines = [self.reference.placed([entry for entry in short if entry.key == key], self.now) for key in keys]
        first = min((min(line, key=lambda placed: placed[0]) for line in lines if line), default=None)
        same = [entry for entry in short if first and entry.key == first[1].key]
        return self._started(
            self.scheduler.pop_short(max_count, keys), self.reference.order(same, self.now)[:max_count]
        )

    @rule(target=running, max_count=st.integers(1, 4), key=KEYS)
    def join(self, max_count: int, key: str) -> Any:
        order = self.startable()
        others = [index for index, entry in enumerate(order) if entry.key != key]
        return self._started(self.scheduler.join(key, max_count), order[: min([max_count, *others])])

    @rule(index=st.integers(0, 100))
    def cancel(self, index: int) -> None:
        if self.reference.waiting:
            entry = self.reference.waiting[index % len(self.reference.waiting)]
            assert self.scheduler.cancel(entry)
            self.reference.waiting.remove(entry)

    @rule(entry=consumes(running), charged=st.floats(0, 1))
    def done(self, entry: Entry, charged: float) -> None:
        entry.charged = charged
        self.scheduler.done(entry)
        self.reference.running.remove(entry)
        self.reference.charges.append((entry.owner, entry.used * charged, self.now))
        self.reference.group_charges.append((entry.group, entry.used * charged, self.now))

    @rule(entry=consumes(running))
    def put_back(self, entry: Entry) -> None:
        self.scheduler.put_back(entry)
        self.reference.running.remove(entry)
        self.reference.waiting.append(entry)

    @rule(owner=OWNERS)
    def forget(self, owner: str) -> None:
        self.scheduler.forget(owner)
        self.reference.charges = [charge for charge in self.reference.charges if charge[0] != owner]

    @invariant()
    def waiting_entries_are_in_the_order_of_their_places(self) -> None:
        forecasts = self.scheduler.forecast()
        order = [forecast.entry for forecast in forecasts]
        assert [forecast.position for forecast in forecasts] == [*range(1, len(order) + 1)]
        assert set(order) == set(self.reference.waiting)
        assert all(self.reference.is_turn(entry, entry.turn) for entry in order)
        assert order == self.reference.order(order, self.now)
        assert [self.scheduler.position(entry).position for entry in order] == [*range(1, len(order) + 1)]

    @invariant()
    def what_an_owner_asks_in_a_group_is_in_the_order_of_arrival(self) -> None:
        for place in {(entry.owner, entry.group) for entry in self.scheduler.waiting}:
            numbers = [entry.number for entry in self.scheduler.waiting if (entry.owner, entry.group) == place]
            assert numbers == sorted(numbers)

    @invariant()
    def the_next_short_entry_of_each_key_is_one_that_may_start(self) -> None:
        short = [entry for entry in self.startable() if entry.short]
        lines = [self.reference.order([e for e in short if e.key == key], self.now) for key in {e.key for e in short}]
        assert set(self.scheduler.next_short()) == {line[0] for line in lines}

    @invariant()
    def no_waiting_time_is_known_during_a_pause(self) -> None:
        if self.scheduler.paused:
            assert self.scheduler.backlog() is None
            assert all(forecast.eta is None for forecast in self.scheduler.forecast())

    def startable(self) -> list[Entry]:
        """Return the waiting entries that may start, in the order that they have without the others."""
        entries = [entry for entry in self.reference.waiting if not (self.scheduler.paused and entry.limited)]
        return self.reference.order(entries, self.now)

    def _started(self, started: list[Entry], expected: list[Entry]) -> Any:
        assert started == expected
        self.reference.waiting = [entry for entry in self.reference.waiting if entry not in started]
        self.reference.running += started
        return multiple(*started)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=100, stateful_step_count=40)
