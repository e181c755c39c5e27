"""Texts that are read together, with the origin of each part."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from inference import serializable

_BETWEEN = "\n\n"


@serializable
@dataclass(frozen=True, slots=True)
class Source:
    """A text in parts: each begins at a position in `starts` and comes from the matching entry of `origins`.

    An origin is ready to show: a link to a message or the name of a file, or empty. `note` is small print about what
    was read.
    """

    text: str
    origins: tuple[str, ...] = ("",)
    starts: tuple[int, ...] = (0,)
    note: str = ""

    def origin(self, position: int) -> str:
        """Return the origin of `text[position]`."""
        return self.origins[max(0, bisect_right(self.starts, position) - 1)]


def join_sources(sources: Iterable[Source]) -> Source:
    """Join the sources with blank lines between them; leave out those without text."""
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
