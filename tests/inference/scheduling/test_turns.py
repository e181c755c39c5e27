"""Compare the scheduler with its rule, computed anew from all that happened, on generated histories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from inference.scheduling.scheduler import Entry, Scheduler

OWNERS = st.sampled_from(["", "ann", "bob", "cy"])
KEYS = st.sampled_from(["gpt2", "opt", "bert"])
SECONDS = st.floats(0.1, 400)


@dataclass
class Reference:
    """The rule of fairness, as the scheduler's docstring has it."""

    waiting: list[Entry] = field(default_factory=list[Entry])
    running: list[Entry] = field(default_factory=list[Entry])
    charges: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    """Owners, seconds and the times at which they were charged."""

    def share(self, entry: Entry, now: float) -> float:
        used = sum(s * 0.5 ** ((now - at) / 300) for owner, s, at in self.charges if owner == entry.owner)
        before = [other for other in self.waiting if other.number < entry.number]
        return used + sum(other.cost for other in [*before, *self.running] if other.owner == entry.owner)

    def is_turn(self, entry: Entry, moment: float) -> bool:
        """Return whether the entry has then waited as many seconds as the share of its owner: the only such moment."""
        return abs(moment - entry.arrived - self.share(entry, moment)) < 1e-6


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

    @rule(owner=OWNERS, key=KEYS, short=st.booleans(), work=SECONDS)
    def add(self, owner: str, key: str, short: bool, work: float) -> None:
        entry = Entry(owner=owner, key=key, kind=key, short=short, work=work)
        self.scheduler.add(entry)
        self.reference.waiting.append(entry)

    @rule(target=running, max_count=st.integers(1, 4))
    def pop(self, max_count: int) -> Any:
        order = self.scheduler.waiting
        return self._started(
            self.scheduler.pop(max_count), [entry for entry in order if entry.key == order[0].key][:max_count]
        )

    @rule(target=running, max_count=st.integers(1, 4), keys=st.sets(KEYS))
    def pop_short(self, max_count: int, keys: set[str]) -> Any:
        allowed = [entry for entry in self.scheduler.waiting if entry.short and entry.key in keys]
        return self._started(
            self.scheduler.pop_short(max_count, keys),
            [entry for entry in allowed if entry.key == allowed[0].key][:max_count],
        )

    @rule(target=running, max_count=st.integers(1, 4), key=KEYS)
    def join(self, max_count: int, key: str) -> Any:
        order = self.scheduler.waiting
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
    def waiting_entries_are_in_the_order_of_their_turns(self) -> None:
        forecasts = self.scheduler.forecast()
        order = [forecast.entry for forecast in forecasts]
        assert [forecast.position for forecast in forecasts] == [*range(1, len(order) + 1)]
        assert set(order) == set(self.reference.waiting)
        assert all(self.reference.is_turn(entry, entry.turn) for entry in order)
        assert order == sorted(order, key=lambda entry: (entry.turn, entry.number))

    @invariant()
    def the_line_of_each_owner_is_in_the_order_of_arrival(self) -> None:
        for owner in ("", "ann", "bob", "cy"):
            numbers = [entry.number for entry in self.scheduler.waiting if entry.owner == owner]
            assert numbers == sorted(numbers)

    def _started(self, started: list[Entry], expected: list[Entry]) -> Any:
        assert started == expected
        self.reference.waiting = [entry for entry in self.reference.waiting if entry not in started]
        self.reference.running += started
        return multiple(*started)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=100, stateful_step_count=40)
