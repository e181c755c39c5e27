"""Sections of a text with their summaries."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from inference.tasks import Section
from inference.text.figures import figures_not_in
from inference.text.sentences import sentences

MAX_SECTIONS = 8
"""The largest number of sections of a summary."""


def make_sections(parts: Sequence[str]) -> list[Section]:
    """Return sections for consecutive `parts` of a text, each with the part itself as summary."""
    ends = list(accumulate(map(len, parts)))
    return [Section(part, end - len(part), end) for part, end in zip(parts, ends, strict=True)]


def join_sections(sections: Sequence[Section]) -> Section:
    """Join neighbouring sections, with one line for each summary. A single section is not changed."""
    if len(sections) == 1:
        return sections[0]
    text = "\n".join(filter(None, (section.summary.strip() for section in sections)))
    return Section(text, sections[0].start, sections[-1].end)


def group_sections(sections: Sequence[Section], max_tokens: int, count: Callable[[str], int]) -> list[Section]:
    """Join neighbours into groups of about equal size, each at most `max_tokens` long as counted by `count`.

    More than `MAX_SECTIONS` sections become at least `MAX_SECTIONS` groups.
    """
    sizes = [count(section.summary) + 1 for section in sections]
    min_groups = MAX_SECTIONS if len(sections) > MAX_SECTIONS else 1
    goal = math.ceil(sum(sizes) / max(min_groups, math.ceil(sum(sizes) / max_tokens)))
    groups: list[list[Section]] = []
    group_size = max_tokens + 1
    for section, size in zip(sections, sizes, strict=True):
        if group_size + size > max_tokens or group_size >= goal:
            groups.append([])
            group_size = 0
        groups[-1].append(section)
        group_size += size
    return [join_sections(group) for group in groups]


def limit_sections(sections: Sequence[Section]) -> list[Section]:
    """Join neighbours so that at most `MAX_SECTIONS` sections are left."""
    size = math.ceil(len(sections) / MAX_SECTIONS)
    return [join_sections(sections[start : start + size]) for start in range(0, len(sections), size)]


def to_bullets(text: str) -> str:
    """Return one line for each sentence, each with a dash."""
    lines = (sentence.strip() for sentence in sentences(text))
    return "\n".join(f"- {line.removeprefix('- ')}" for line in lines if line)


def unsupported_figures(source: str, text: str, sections: Sequence[Section]) -> tuple[str, ...]:
    """Return the numbers of a summary and its sections that are not in `source`."""
    return figures_not_in(source, "\n".join([text, *(section.summary for section in sections)]))
