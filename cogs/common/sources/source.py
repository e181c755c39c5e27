"""Texts that are read together, with the origin of each part."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from inference import TextSource, serializable

_BETWEEN = "\n\n"

_STRICTEST_FIRST: tuple[TextSource, ...] = ("typed", "chosen", "channel")


@serializable
@dataclass(frozen=True, slots=True)
class Source:
    """A text in parts: each begins at a position in `starts` and comes from the matching entry of `origins`.

    An origin is ready to show: a link to a message or the name of a file, or empty. `note` is small print about what
    was read. `text_source` says which rules apply to the text.
    """

    text: str
    origins: tuple[str, ...] = ("",)
    starts: tuple[int, ...] = (0,)
    note: str = ""
    text_source: TextSource = "typed"

    def origin(self, position: int) -> str:
        """Return the origin of `text[position]`."""
        return self.origins[max(0, bisect_right(self.starts, position) - 1)]


def join_sources(sources: Iterable[Source]) -> Source:
    """Join the sources with blank lines between them; leave out those without text.

    Of their rules, the strictest apply to the whole text.
    """
    text = ""
    origins: list[str] = []
    starts: list[int] = []
    notes: list[str] = []
    text_sources: set[TextSource] = set()
    for source in sources:
        if source.text.strip():
            text += _BETWEEN if text else ""
            starts += [len(text) + start for start in source.starts]
            origins += source.origins
            text += source.text
            notes += [source.note] if source.note else []
            text_sources.add(source.text_source)
    if not text:
        return Source("")
    return Source(text, tuple(origins), tuple(starts), " · ".join(notes), min(text_sources, key=_STRICTEST_FIRST.index))
