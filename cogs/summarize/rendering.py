"""A channel's summary as one message: on top what matters, then each section with a link to where it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from discord.utils import format_dt

from cogs.common import MessageContent, neutral
from cogs.common.channel_history import Transcript
from cogs.common.message_content import with_file
from cogs.common.message_splitting import PART_LIMIT
from cogs.i18n import tr
from cogs.summarize.service import listed, small_print, summary_text
from inference import Section, Summary

_MOST_LINKS = 8
"""Sections beyond that are told together, so that a message has room for all links."""

_LENGTHS = (160, 120, 80, 60, 40)
"""Characters of each section that stand in a message with little room, whichever fit first; the file has them all."""

_ROOM = PART_LIMIT - 100
"""For text, links and small print, beside the words that the file and the sharing add."""


def channel_summary(summary: Summary, past: Transcript, upload_limit: int) -> MessageContent:
    """One message, which can be shared as it is: what has no room there is in its file."""
    sections = _together(summary.sections)
    link = "" if len(sections) > 1 else f"[{tr('jump')}]({past.messages[0].jump_url})"
    content = MessageContent(
        _text(summary, sections, past),
        plain=_plain(summary, past),
        note=small_print(past.coverage(summary.parts), link),
    )
    if _fits(content):
        return content
    shorter = [replace(content, text=_text(summary, sections, past, longest)) for longest in _LENGTHS]
    return with_file(next(filter(_fits, shorter), shorter[-1]), upload_limit)


def _fits(content: MessageContent) -> bool:
    return len(content.text) + len(content.note) <= _ROOM


def _text(summary: Summary, sections: Sequence[Section], past: Transcript, longest: int | None = None) -> str:
    if len(sections) < 2:
        return summary_text(summary.text)
    lines = [_line(section, past, longest) for section in sections]
    above = [] if _is_sum(summary) else [summary_text(summary.text), "", f"**{tr('Section by section')}**"]
    return "\n".join([*above, *lines])


def _is_sum(summary: Summary) -> bool:
    """Whether the sections say it all: what would be said above them would be said twice."""
    return summary.text.split() == [word for section in summary.sections for word in section.summary.split()]


def _line(section: Section, past: Transcript, longest: int | None) -> str:
    first = past.message_at(section.start)
    words = " ".join(listed(section.summary))
    if longest and len(words) > longest:
        words = words[: longest - 1] + "…"
    return f"- {format_dt(first.at, 'f')} [{tr('jump')}]({first.jump_url}) {neutral(words)}"


def _plain(summary: Summary, past: Transcript) -> str:
    """For a file: every section, with its link written out."""
    parts = [summary.text]
    for section in summary.sections:
        first = past.message_at(section.start)
        parts.append(f"{first.at:%Y-%m-%d %H:%M} UTC, {first.jump_url}\n{section.summary.strip()}")
    return "\n\n".join(parts)


def _together(sections: Sequence[Section]) -> list[Section]:
    """Neighbours joined, evenly, until there are few enough."""
    groups = min(len(sections), _MOST_LINKS)
    cuts = [len(sections) * group // groups for group in range(groups + 1)] if groups else []
    return [_joined(sections[a:b]) for a, b in pairwise(cuts)]


def _joined(sections: Sequence[Section]) -> Section:
    return Section(" ".join(section.summary.strip() for section in sections), sections[0].start, sections[-1].end)
