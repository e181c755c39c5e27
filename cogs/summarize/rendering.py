"""A channel's summary as one message: the whole summary, then each section with a link to its first message."""

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
from inference import Section, Summary, shortened

_MOST_LINKS = 8
"""The most sections; more are joined, so that a message has room for all links."""

_LENGTHS = (160, 120, 80, 60, 40)
"""Shorter lengths of each section to try, in characters, if a message is too long; the file has everything."""

_ROOM = PART_LIMIT - 100
"""Characters for text, links and small print; the rest is for the texts about the file and the sharing."""


def channel_summary(summary: Summary, transcript: Transcript, upload_limit: int) -> MessageContent:
    """Return one message that can be shared as it is; if it is too long, a file has the whole text."""
    sections = _together(summary.sections)
    link = "" if len(sections) > 1 else f"[{tr('jump')}]({transcript.messages[0].jump_url})"
    content = MessageContent(
        _text(summary, sections, transcript),
        plain=_plain(summary, transcript),
        note=small_print(summary, transcript.coverage(summary.parts), link),
    )
    if _fits(content):
        return content
    shorter = [replace(content, text=_text(summary, sections, transcript, longest)) for longest in _LENGTHS]
    return with_file(next(filter(_fits, shorter), shorter[-1]), upload_limit)


def _fits(content: MessageContent) -> bool:
    return len(content.text) + len(content.note) <= _ROOM


def _text(summary: Summary, sections: Sequence[Section], transcript: Transcript, longest: int | None = None) -> str:
    if len(sections) < 2:
        return summary_text(summary.text)
    lines = [_line(section, transcript, longest) for section in sections]
    above = [] if _is_sum_of_sections(summary) else [summary_text(summary.text), "", f"**{tr('Section by section')}**"]
    return "\n".join([*above, *lines])


def _is_sum_of_sections(summary: Summary) -> bool:
    """Return whether the summary is just its sections, so that showing both would repeat it."""
    return summary.text.split() == [word for section in summary.sections for word in section.summary.split()]


def _line(section: Section, transcript: Transcript, longest: int | None) -> str:
    first = transcript.message_at(section.start)
    words = " ".join(listed(section.summary))
    words = shortened(words, longest) if longest else words
    return f"- {format_dt(first.at, 'f')} [{tr('jump')}]({first.jump_url}) {neutral(words)}"


def _plain(summary: Summary, transcript: Transcript) -> str:
    """Return the text for a file: every section with its link."""
    parts = [summary.text]
    for section in summary.sections:
        first = transcript.message_at(section.start)
        parts.append(f"{first.at:%Y-%m-%d %H:%M} UTC, {first.jump_url}\n{section.summary.strip()}")
    return "\n\n".join(parts)


def _together(sections: Sequence[Section]) -> list[Section]:
    """Join neighbouring sections evenly, up to the limit."""
    groups = min(len(sections), _MOST_LINKS)
    cuts = [len(sections) * group // groups for group in range(groups + 1)] if groups else []
    return [_joined(sections[a:b]) for a, b in pairwise(cuts)]


def _joined(sections: Sequence[Section]) -> Section:
    return Section(" ".join(section.summary.strip() for section in sections), sections[0].start, sections[-1].end)
