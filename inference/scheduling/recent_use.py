"""The recent use of a device by owners and groups, which decays, and what a scheduler keeps of it over a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log

_HALF_LIFE = 300.0
DECAY = log(2) / _HALF_LIFE
"""Use shrinks by this share in a second."""
_LEAST_USE = 0.01
"""Smaller use in seconds is forgotten."""


@dataclass(frozen=True, slots=True)
class SchedulerState:
    """What a scheduler has learned: seconds for a unit of work by kind, and recent use by owner and by group."""

    seconds_per_work: dict[str, float] = field(default_factory=dict[str, float])
    usage: dict[str, float] = field(default_factory=dict[str, float])
    group_usage: dict[str, float] = field(default_factory=dict[str, float])

    def after(self, seconds: float) -> SchedulerState:
        """Return the state after some time without use."""
        return SchedulerState(self.seconds_per_work, _decayed(self.usage, seconds), _decayed(self.group_usage, seconds))


def _decayed(usage: dict[str, float], seconds: float) -> dict[str, float]:
    decayed = {name: used * exp(-DECAY * seconds) for name, used in usage.items()}
    return {name: used for name, used in decayed.items() if used >= _LEAST_USE}


class RecentUse:
    """The recent use of owners or groups, in device seconds, which decays."""

    def __init__(self, usage: dict[str, float], now: float) -> None:
        self._usage = {name: (used, now) for name, used in usage.items()}
        """The use of each, and the time at which it was recorded."""

    def at(self, name: str, now: float) -> float:
        """Return the use at this time."""
        used, at = self.recorded(name)
        return used * exp(DECAY * (at - now)) if used else 0.0

    def recorded(self, name: str) -> tuple[float, float]:
        """Return the use and the time at which it was recorded."""
        return self._usage.get(name, (0.0, 0.0))

    def add(self, name: str, seconds: float, now: float) -> None:
        self._usage[name] = (self.at(name, now) + seconds, now)

    def forget(self, name: str) -> None:
        self._usage.pop(name, None)

    def drop_decayed(self, now: float) -> dict[str, float]:
        """Forget use that has decayed, and return what is left at this time."""
        usage = {name: self.at(name, now) for name in self._usage}
        left = {name: used for name, used in usage.items() if used >= _LEAST_USE}
        self._usage = {name: (used, now) for name, used in left.items()}
        return left
