"""Conversion of a classifier's labels to valences, from negative to positive."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VALENCES = {
    "very negative": -1.0, "negative": -1.0, "neg": -1.0,
    "neutral": 0.0, "neu": 0.0, "mixed": 0.0,
    "positive": 1.0, "pos": 1.0, "very positive": 1.0,
}  # fmt: skip
_STARS = re.compile(r"(\d+)\s*stars?")


def valences(labels: Sequence[str]) -> list[float] | None:
    """Return the labels' valences from -1 to 1; None if they are no scale, such as "joy" and "surprise".

    Known labels are words like "negative", "neutral" and "very positive", and numbers of stars.
    """
    names = [label.lower().replace("_", " ").strip() for label in labels]
    if len(set(names)) < 2:
        return None
    if all(name in _VALENCES for name in names):
        has_very = any(name.startswith("very") for name in names)
        return [_VALENCES[name] / (2 if has_very and not name.startswith("very") else 1) for name in names]
    stars = [int(match[1]) for name in names if (match := _STARS.fullmatch(name))]
    if len(stars) < len(names):
        return None
    lowest, highest = min(stars), max(stars)
    return [2 * (star - lowest) / (highest - lowest) - 1 for star in stars]
