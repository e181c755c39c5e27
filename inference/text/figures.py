"""The figures of a text: models invent them, and a reader can't see it."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d+(?:[.,:'’]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d)[.,'’\u00a0\u202f](?=\d{3}(?!\d))")
_DIGITS = re.compile(r"\d+")


def figures(text: str) -> set[str]:
    """Return the groups of digits in `text`: 20 and 40 for "20:40". Those of 1,250 are one, as are those of 1250."""
    return set(_DIGITS.findall(_THOUSANDS.sub("", text)))


def figures_not_in(source: str, text: str) -> tuple[str, ...]:
    """Return the numbers in `text` that are not in `source`, each once and as they are written."""
    known = figures(source)
    return tuple(dict.fromkeys(number for number in _NUMBER.findall(text) if not figures(number) <= known))
