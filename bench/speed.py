"""How fast several texts came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speed:
    """`first`: seconds until the last of the texts had its first token; `all`: until all had all of theirs."""

    first: float
    all: float
