"""What was used on other devices, for a queue that begins later."""

from __future__ import annotations

import pytest

from inference.scheduling.recent_use import SchedulerState
from inference.scheduling.use_elsewhere import UseElsewhere
from inference.types.observations import DeviceUsed

_HALF_LIFE = 300.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_use_is_added_to_what_is_known_with_what_is_left_of_it() -> None:
    clock = Clock()
    elsewhere = UseElsewhere(clock)
    elsewhere.add(DeviceUsed("cuda:0", "ann", "club", 80.0))
    clock.now += _HALF_LIFE
    elsewhere.add(DeviceUsed("", "bob", "club", 10.0))
    clock.now += _HALF_LIFE
    state = elsewhere.added_to(SchedulerState({"complete": 2.0}, {"ann": 1.0, "cy": 3.0}, {"home": 4.0}))
    assert state.seconds_per_work == {"complete": 2.0}
    assert state.usage == pytest.approx({"ann": 21.0, "cy": 3.0, "bob": 5.0})
    assert state.group_usage == pytest.approx({"home": 4.0, "club": 25.0})


def test_many_small_uses_of_others_displace_no_large_one() -> None:
    elsewhere = UseElsewhere(Clock())
    elsewhere.add(DeviceUsed("cpu", "ann", "", 100.0))
    for number in range(5000):
        elsewhere.add(DeviceUsed("cpu", str(number), "", 0.1))
    assert elsewhere.added_to(SchedulerState()).usage["ann"] == pytest.approx(100.0)


def test_a_person_is_forgotten_and_their_server_is_not() -> None:
    elsewhere = UseElsewhere(Clock())
    elsewhere.add(DeviceUsed("cpu", "ann", "club", 100.0))
    elsewhere.forget("ann")
    assert elsewhere.added_to(SchedulerState()) == SchedulerState(group_usage={"club": 100.0})
