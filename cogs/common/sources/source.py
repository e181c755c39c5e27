"""Texts that are read together, and where each part of them comes from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Source:
    """A text in stretches, of which each begins where `starts` says and comes from `origins`.

    An origin is ready to show: a link to a message, the name of a file; empty for what needs no name. `note` is small
    print about what was read.
    """

    text: str
    origins: tuple[str, ...] = ("",)
    starts: tuple[int, ...] = (0,)
    note: str = ""

    def origin(self, position: int) -> str:
        """Where `text[position]` comes from."""
        return self.origins[max(0, bisect_right(self.starts, position) - 1)]


def join_sources(sources: Iterable[Source]) -> Source:
    """One after the other, a paragraph apart; those without words are left out."""
    text = ""
    origins: list[str] = []
    starts: list[int] = []
    notes: list[str] = []
    for source in sources:
        if source.text.strip():
            text += _BETWEEN if text else ""
            starts += [len(text) + start for start in source.starts]
            origins += source.origins
            text += source.text
            notes += [source.note] if source.note else []
    return Source(text, tuple(origins), tuple(starts), " · ".join(notes)) if text else Source("")
