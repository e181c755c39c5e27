"""Stretches of a text with what is said of each, put together where there are too many."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from inference.pipelines.text_splitting import sentences
from inference.tasks import Section

SECTIONS = 8
"""The most stretches of one text that a summary tells of."""


def sections_of(parts: Sequence[str]) -> list[Section]:
    """Of a text that is cut into `parts`: each says itself."""
    ends = list(accumulate(map(len, parts)))
    return [Section(part, end - len(part), end) for part, end in zip(parts, ends, strict=True)]


def joined(sections: Sequence[Section]) -> Section:
    """Neighbours as one, each on a line of its own; one alone stays as it is."""
    if len(sections) == 1:
        return sections[0]
    text = "\n".join(filter(None, (section.summary.strip() for section in sections)))
    return Section(text, sections[0].start, sections[-1].end)


def grouped(sections: Sequence[Section], most: int, count: Callable[[str], int]) -> list[Section]:
    """Neighbours joined into groups of about equal size, each of at most `most` tokens as told by `count`.

    Many sections become `SECTIONS` groups at least, so that these can be told of.
    """
    sizes = [count(section.summary) + 1 for section in sections]
    least = SECTIONS if len(sections) > SECTIONS else 1
    goal = math.ceil(sum(sizes) / max(least, math.ceil(sum(sizes) / most)))
    groups: list[list[Section]] = []
    filled = most + 1
    for section, size in zip(sections, sizes, strict=True):
        if filled + size > most or filled >= goal:
            groups.append([])
            filled = 0
        groups[-1].append(section)
        filled += size
    return [joined(group) for group in groups]


def a_few(sections: Sequence[Section]) -> list[Section]:
    """No more than `SECTIONS` of them, neighbours joined."""
    size = math.ceil(len(sections) / SECTIONS)
    return [joined(sections[start : start + size]) for start in range(0, len(sections), size)]


def bullets(text: str) -> str:
    """A line a sentence, each after a dash."""
    lines = (sentence.strip() for sentence in sentences(text))
    return "\n".join(f"- {line.removeprefix('- ')}" for line in lines if line)
