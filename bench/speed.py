"""The speed of several concurrent texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds until every text has its first token (`first`), and until all are complete (`all`)."""

    first: float
    all: float
