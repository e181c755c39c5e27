"""Sizes in bytes: read from text, and written for people."""

from __future__ import annotations

import re
from typing import Any

from inference.types.errors import Phrase

_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d+)?)\s*(MiB|GiB|MB|GB)\s*", re.IGNORECASE)
_UNITS = {"mib": 1024**2, "gib": 1024**3, "mb": 10**6, "gb": 10**9}


def parse_size(value: Any) -> int:
    """Convert `12 GiB` to bytes. Raise ValueError for anything else, also for a number without a unit."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if size < 1:
        raise ValueError("not a size")
    return size


def size_text(nbytes: float) -> Phrase:
    """Return the size in the unit that fits, never as zero of a large one. 999.5 MB and more are rounded to 1.0 GB."""
    if nbytes >= 999.5 * 10**6:
        return Phrase("{size:,.1f} GB", size=nbytes / 10**9)
    if nbytes >= 999.5 * 10**3:
        return Phrase("{size:.0f} MB", size=nbytes / 10**6)
    if nbytes >= 10**3:
        return Phrase("{size:.0f} kB", size=nbytes / 10**3)
    return Phrase("{size} bytes", size=int(nbytes))
