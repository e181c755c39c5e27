"""Durations in seconds, read from text as people write them."""

from __future__ import annotations

import re
from typing import Any

_NUMBER = r"(\d{1,6}(?:\.\d{1,3})?)"
_DURATION = re.compile(
    rf"\s*(?:{_NUMBER}\s*(?:h|hours?))?\s*(?:{_NUMBER}\s*(?:min|minutes?))?\s*(?:{_NUMBER}\s*(?:s|seconds?))?\s*",
    re.IGNORECASE,
)
_UNITS = (3600, 60, 1)


def parse_duration(value: Any) -> int:
    """Convert `90 s`, `10 min`, `2 h` or `1 h 30 min` to seconds.

    Raise ValueError for anything else, also for nothing, for less than a second, and for a number without a unit.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    numbers = match.groups() if match else ()
    seconds = round(sum(float(number) * unit for number, unit in zip(numbers, _UNITS, strict=False) if number))
    if seconds < 1:
        raise ValueError("not a duration")
    return seconds
