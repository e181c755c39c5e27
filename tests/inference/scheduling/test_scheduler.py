"""Test the scheduler with a fake clock: fairness, batches, queue positions and time estimates."""

from dataclasses import dataclass

import pytest

from inference.scheduling.scheduler import Entry, Scheduler, SchedulerState
from inference.types.errors import Overloaded


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scheduler(clock: Clock) -> Scheduler[Entry]:
    return Scheduler(limit=8, per_owner=4, clock=clock)


def entry(
    owner: str = "ann",
    key: str = "gpt2",
    kind: str = "",
    *,
    short: bool = False,
    work: float = 1.0,
    group: str = "",
    starts_alone: bool = False,
) -> Entry:
    return Entry(owner=owner, key=key, kind=kind or key, short=short, work=work, group=group, starts_alone=starts_alone)


def add(scheduler: Scheduler[Entry], *entries: Entry) -> None:
    for one in entries:
        scheduler.add(one)


def run_for(scheduler: Scheduler[Entry], clock: Clock, seconds: float, *entries: Entry) -> None:
    """Pop exactly `entries`, advance the clock, and mark them as done."""
    assert scheduler.pop(16) == list(entries)
    clock.now += seconds
    for one in entries:
        scheduler.done(one)


def test_entries_of_one_owner_are_popped_in_the_order_they_were_added(scheduler: Scheduler[Entry]) -> None:
    first, second = entry(key="a"), entry(key="b")
    add(scheduler, first, second)
    assert scheduler.pop(16) == [first]
    assert scheduler.pop(16) == [second]
    assert scheduler.pop(16) == []


def test_entries_with_the_same_key_are_popped_as_one_batch(scheduler: Scheduler[Entry]) -> None:
    a, other, b = entry("ann"), entry("bob", key="opt"), entry("cy")
    add(scheduler, a, other, b)
    assert scheduler.pop(16) == [a, b]
    assert scheduler.pop(16) == [other]


def test_a_batch_is_never_larger_than_the_given_size(scheduler: Scheduler[Entry]) -> None:
    add(scheduler, *(entry(owner) for owner in ("ann", "bob", "cy")))
    assert len(scheduler.pop(2)) == 2
    assert len(scheduler.pop(2)) == 1


def test_an_entry_that_starts_alone_is_popped_alone_and_others_join_it(scheduler: Scheduler[Entry]) -> None:
    first, second = (entry(owner, starts_alone=True) for owner in ("ann", "bob"))
    add(scheduler, first, second)
    assert scheduler.pop(16) == [first]
    assert scheduler.join("gpt2", 5) == [second]


def test_a_cancelled_entry_is_not_popped(scheduler: Scheduler[Entry]) -> None:
    cancelled, kept = entry(), entry()
    add(scheduler, cancelled, kept)
    assert scheduler.cancel(cancelled)
    assert scheduler.pop(16) == [kept]
    assert not scheduler.cancel(kept)


def test_the_owner_who_used_the_device_less_is_served_first(scheduler: Scheduler[Entry], clock: Clock) -> None:
    big = entry("ann", key="big")
    add(scheduler, big)
    run_for(scheduler, clock, 60, big)
    heavy, light = entry("ann", key="x"), entry("bob", key="y")
    add(scheduler, heavy, light)
    assert scheduler.pop(16) == [light]


def test_an_owner_with_many_entries_alternates_with_another_owner(scheduler: Scheduler[Entry]) -> None:
    many = [entry("ann", key=f"a{i}") for i in range(3)]
    late = entry("bob", key="b")
    add(scheduler, *many, late)
    order = [scheduler.pop(1)[0] for _ in range(4)]
    assert order == [many[0], late, many[1], many[2]]


def test_a_group_with_many_owners_alternates_with_a_group_of_one(scheduler: Scheduler[Entry]) -> None:
    many = [entry(f"owner {i}", f"key {i}", "kind", group="crowd") for i in range(4)]
    few = [entry("ann", f"other {i}", "kind", group="home") for i in range(2)]
    add(scheduler, *many, *few)
    assert scheduler.waiting == [many[0], few[0], many[1], few[1], many[2], many[3]]
    assert [scheduler.position(one).position for one in few] == [2, 4]


def test_the_group_that_used_the_device_less_is_served_first(scheduler: Scheduler[Entry], clock: Clock) -> None:
    used = entry("ann", group="crowd")
    add(scheduler, used)
    run_for(scheduler, clock, 50, used)
    crowd, home = entry("bob", "a", group="crowd"), entry("cy", "b", group="home")
    add(scheduler, crowd, home)
    assert scheduler.waiting == [home, crowd]


def test_a_group_that_waits_longer_than_it_used_the_device_is_served(scheduler: Scheduler[Entry], clock: Clock) -> None:
    used = entry("ann", group="crowd")
    add(scheduler, used)
    run_for(scheduler, clock, 50, used)
    crowd = entry("bob", "a", group="crowd")
    add(scheduler, crowd)
    clock.now += 60
    home = entry("cy", "b", group="home")
    add(scheduler, home)
    assert scheduler.waiting == [crowd, home]


def test_waiting_time_compensates_past_use(scheduler: Scheduler[Entry], clock: Clock) -> None:
    big = entry("ann", key="big")
    add(scheduler, big)
    run_for(scheduler, clock, 20, big)
    waiting = entry("ann", key="x")
    add(scheduler, waiting)
    clock.now += 30
    add(scheduler, entry("bob", key="y"))
    assert scheduler.pop(1) == [waiting]


def test_past_use_counts_less_over_time(scheduler: Scheduler[Entry], clock: Clock) -> None:
    big = entry("ann", key="big")
    add(scheduler, big)
    run_for(scheduler, clock, 100, big)
    clock.now += 3600
    earlier = entry("ann", key="x")
    add(scheduler, earlier)
    clock.now += 0.5
    add(scheduler, entry("bob", key="y"))
    assert scheduler.pop(1) == [earlier]


def test_only_short_entries_with_an_allowed_key_are_popped_inside_a_long_batch(scheduler: Scheduler[Entry]) -> None:
    long, short = entry(key="bert"), entry("bob", key="bert", short=True)
    other, late = entry("cy", key="vit", short=True), entry("dee", key="bert", short=True)
    add(scheduler, long, other, short, late)
    assert scheduler.next_short() == [other, short]
    assert scheduler.pop_short(16, {"bert"}) == [short, late]
    assert scheduler.pop_short(16, {"bert"}) == []
    assert scheduler.waiting == [long, other]


def test_entries_join_a_running_batch(scheduler: Scheduler[Entry]) -> None:
    first, later, last = entry("ann"), entry("bob"), entry("cy")
    add(scheduler, first)
    assert scheduler.pop(16) == [first]
    add(scheduler, later, last)
    assert scheduler.join("gpt2", 1) == [later]
    assert scheduler.join("gpt2", 5) == [last]


def test_no_entry_joins_a_batch_before_an_entry_that_should_run_first(
    scheduler: Scheduler[Entry], clock: Clock
) -> None:
    add(scheduler, entry("ann"))
    scheduler.pop(16)
    picture = entry("bob", key="sd")
    add(scheduler, picture)
    clock.now += 1
    add(scheduler, entry("cy"))
    assert scheduler.join("gpt2", 5) == []
    assert scheduler.pop(16) == [picture]


def test_a_full_queue_refuses_an_entry_and_gives_a_waiting_time(scheduler: Scheduler[Entry], clock: Clock) -> None:
    known = entry("ann", key="a", work=1)
    add(scheduler, known)
    run_for(scheduler, clock, 10, known)
    add(scheduler, *(entry(f"owner {i}", key="a") for i in range(8)))
    with pytest.raises(Overloaded) as refusal:
        scheduler.add(entry("late", key="a"))
    assert refusal.value.retry_after == pytest.approx(80)
    assert "80 seconds" in refusal.value.user_message


def test_running_entries_count_towards_the_queue_limit_until_they_are_done(scheduler: Scheduler[Entry]) -> None:
    entries = [entry(f"owner {i}") for i in range(8)]
    add(scheduler, *entries)
    scheduler.pop(16)
    with pytest.raises(Overloaded):
        scheduler.add(entry("late"))
    scheduler.done(entries[0])
    scheduler.add(entry("late"))


def test_one_owner_cannot_fill_the_queue(scheduler: Scheduler[Entry]) -> None:
    add(scheduler, *(entry("ann") for _ in range(4)))
    with pytest.raises(Overloaded, match="already have 4"):
        scheduler.add(entry("ann"))
    scheduler.add(entry("bob"))


def test_cancelled_entries_free_their_queue_slots(scheduler: Scheduler[Entry]) -> None:
    entries = [entry("ann") for _ in range(4)]
    add(scheduler, *entries)
    scheduler.cancel(entries[0])
    scheduler.add(entry("ann"))


def test_the_eta_is_estimated_from_finished_entries(scheduler: Scheduler[Entry], clock: Clock) -> None:
    learned = entry("ann", key="sd", work=10)
    add(scheduler, learned)
    run_for(scheduler, clock, 20, learned)  # two seconds for each unit of work
    running, waiting = entry("ann", key="sd", work=10), entry("bob", key="sd", work=5)
    last = entry("cy", key="sd")
    add(scheduler, running)
    scheduler.pop(1)
    add(scheduler, waiting, last)
    clock.now += 5
    forecasts = scheduler.forecast()
    assert [(f.entry, f.position) for f in forecasts] == [(waiting, 1), (last, 2)]
    assert [f.eta for f in forecasts] == pytest.approx([15, 25])


def test_entries_of_one_kind_share_a_time_estimate_across_batch_keys(scheduler: Scheduler[Entry], clock: Clock) -> None:
    learned = entry("ann", key="guidance 7.5", kind="sd", work=10)
    add(scheduler, learned)
    run_for(scheduler, clock, 20, learned)
    one, other = entry("bob", key="guidance 7.1", kind="sd", work=5), entry("cy", key="guidance 7.5", kind="sd")
    add(scheduler, one, other)
    assert [f.eta for f in scheduler.forecast()] == pytest.approx([0, 10])
    assert scheduler.pop(16) == [one]


def test_an_unknown_kind_of_work_has_no_eta(scheduler: Scheduler[Entry]) -> None:
    add(scheduler, entry(), entry("bob", key="new"))
    scheduler.pop(1)
    assert [f.eta for f in scheduler.forecast()] == [None]


def test_the_duration_of_a_batch_is_divided_among_its_entries(scheduler: Scheduler[Entry], clock: Clock) -> None:
    pair = [entry("ann"), entry("bob")]
    add(scheduler, *pair)
    run_for(scheduler, clock, 10, *pair)
    assert [one.used for one in pair] == pytest.approx([5, 5])
    add(scheduler, entry("cy"), entry("dee"))
    assert [f.eta for f in scheduler.forecast()] == pytest.approx([0, 5])


def test_a_cancelled_entry_does_not_change_the_time_estimate(scheduler: Scheduler[Entry], clock: Clock) -> None:
    stopped = entry("ann", work=100)
    add(scheduler, stopped)
    scheduler.pop(16)
    clock.now += 1
    stopped.cancelled = True
    scheduler.done(stopped)
    add(scheduler, entry("bob"), entry("cy"))
    assert scheduler.forecast()[1].eta is None


def test_marking_an_entry_as_done_twice_changes_nothing(scheduler: Scheduler[Entry], clock: Clock) -> None:
    one = entry()
    add(scheduler, one)
    run_for(scheduler, clock, 10, one)
    scheduler.done(one)
    add(scheduler, entry(), entry())
    assert scheduler.forecast()[1].eta == pytest.approx(10)


def test_only_the_charged_share_counts_as_use(scheduler: Scheduler[Entry], clock: Clock) -> None:
    for owner, share in {"ann": 0.5, "bob": 1.0, "cy": 0.0}.items():
        ran = entry(owner)
        ran.charged = share
        add(scheduler, ran)
        run_for(scheduler, clock, 100, ran)
    add(scheduler, *(entry(owner, key=owner) for owner in ("bob", "ann", "cy")))
    assert [scheduler.pop(1)[0].owner for _ in range(3)] == ["cy", "ann", "bob"]


def test_an_entry_that_is_put_back_waits_in_its_old_place(scheduler: Scheduler[Entry], clock: Clock) -> None:
    first, second = entry("ann", key="a"), entry("ann", key="b")
    add(scheduler, first, second)
    scheduler.pop(1)
    clock.now += 5
    add(scheduler, entry("bob", key="c"))
    scheduler.put_back(first)
    assert scheduler.waiting[:2] == [first, second]


def test_the_time_estimate_of_a_late_position_assumes_equal_costs_after_the_first_entries(clock: Clock) -> None:
    scheduler = Scheduler[Entry](limit=2000, per_owner=4, clock=clock)
    learned = entry(work=1)
    add(scheduler, learned)
    run_for(scheduler, clock, 2, learned)
    entries = [entry(f"owner {i}", work=1 + i % 3) for i in range(999)]
    add(scheduler, *entries)
    whole, part = scheduler.forecast(), scheduler.forecast(900, 902)
    assert part == whole[900:902]
    assert scheduler.position(part[0].entry) == part[0]
    assert part[0].eta == pytest.approx(2 * sum(each.entry.work for each in whole[:900]), rel=0.01)


class TestState:
    def test_use_and_speeds_survive_a_restart_and_use_decays_meanwhile(self, clock: Clock) -> None:
        before = Scheduler[Entry](limit=8, per_owner=4, clock=clock)
        big = entry("ann", key="sd", work=10)
        add(before, big)
        run_for(before, clock, 20, big)
        state = before.state().after(300)
        assert (state.seconds_per_work, state.usage) == (pytest.approx({"sd": 2}), pytest.approx({"ann": 10}))
        after = Scheduler[Entry](limit=8, per_owner=4, clock=clock, state=state)
        add(after, entry("ann", key="a"), entry("bob", key="sd"))
        assert [forecast.entry.owner for forecast in after.forecast()] == ["bob", "ann"]
        assert after.forecast()[1].eta == pytest.approx(2)

    def test_use_that_has_decayed_is_dropped(self, scheduler: Scheduler[Entry], clock: Clock) -> None:
        one = entry()
        add(scheduler, one)
        run_for(scheduler, clock, 1, one)
        clock.now += 3600
        assert scheduler.state().usage == {}
        assert SchedulerState({}, {"ann": 1.0}).after(3600).usage == {}

    def test_a_forgotten_owner_has_no_use_even_after_their_running_request_ends(
        self, scheduler: Scheduler[Entry], clock: Clock
    ) -> None:
        ran, running, waiting = entry("ann", key="a"), entry("ann", key="b"), entry("ann", key="c")
        add(scheduler, ran, running, waiting)
        run_for(scheduler, clock, 60, ran)
        scheduler.pop(1)
        add(scheduler, entry("bob", key="d"))
        clock.now += 5
        scheduler.forget("ann")
        scheduler.done(running)
        assert "ann" not in scheduler.state().usage
        assert scheduler.pop(1) == [waiting]
