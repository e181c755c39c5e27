"""What people and servers used on other devices of late, for a queue that begins when it is first needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from inference.scheduling.recent_use import RecentUse, SchedulerState
from inference.types.observations import DeviceUsed

_PAUSE = 300.0
"""Seconds between two times at which use that has decayed is forgotten."""


class UseElsewhere:
    """The use of other devices since the process began, which decays. Whoever uses it on several threads locks it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._owners, self._groups = RecentUse({}, clock()), RecentUse({}, clock())
        self._drop_at = clock() + _PAUSE

    def add(self, use: DeviceUsed) -> None:
        """Count this use."""
        now = self._clock()
        self._owners.add(use.owner, use.seconds, now)
        self._groups.add(use.group, use.seconds, now)
        if now >= self._drop_at:
            self._drop_decayed(now)

    def forget(self, owner: str) -> None:
        """Forget the use of `owner`. That of their groups stays, as it does in a scheduler."""
        self._owners.forget(owner)

    def added_to(self, state: SchedulerState) -> SchedulerState:
        """Return the state of a device's scheduler with what is left of this use."""
        owners, groups = self._drop_decayed(self._clock())
        return SchedulerState(state.seconds_per_work, _sum(state.usage, owners), _sum(state.group_usage, groups))

    def _drop_decayed(self, now: float) -> tuple[dict[str, float], dict[str, float]]:
        self._drop_at = now + _PAUSE
        return self._owners.drop_decayed(now), self._groups.drop_decayed(now)


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}
