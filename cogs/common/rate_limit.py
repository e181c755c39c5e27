"""Limits of how often one person may do something."""

from __future__ import annotations


class RateLimit:
    """At most `most` times in `seconds` for each person. It is in memory, so a restart clears it."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self._seconds = seconds
        self._times: dict[int, list[float]] = {}

    def allows(self, person: int, now: float) -> bool:
        """Return whether the person may do it once more at `now`, in seconds since 1970."""
        self._times = {each: recent for each, times in self._times.items() if (recent := self._recent(times, now))}
        return len(self._times.get(person, ())) < self.most

    def count(self, person: int, now: float) -> None:
        """Note that the person does it at `now`."""
        self._times.setdefault(person, []).append(now)

    def _recent(self, times: list[float], now: float) -> list[float]:
        return [time for time in times if time > now - self._seconds]
