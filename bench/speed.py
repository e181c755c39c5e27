"""The speed of several concurrent texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds until every text has its first token (`first`), and until all are complete (`all`), with their tokens."""

    first: float
    all: float
    tokens: float

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.all


def median_speed(speeds: Sequence[Speed]) -> Speed:
    """Return the medians of all three."""
    return Speed(*(median(getattr(speed, name) for speed in speeds) for name in ("first", "all", "tokens")))
