"""Excerpts of a text around a span, which is in bold."""

from __future__ import annotations

import re

from cogs.common import neutral
from cogs.common.markdown import SENTENCE_END

_REACH = 300
_AROUND = 700
_WHOLE = 600
_BORDER = re.compile(rf"{SENTENCE_END.pattern}|\n")


def in_sentence(text: str, start: int, end: int, reach: int = _REACH) -> str:
    """Return the sentence around `text[start:end]`; of a long one, whole words within `reach` characters each side."""
    return f"{_before(text, start, reach)}{_bold(text[start:end])}{_behind(text, end, reach)}"


def in_paragraphs(text: str, start: int, end: int) -> str:
    """Return the lines around `text[start:end]`, about 700 characters on each side."""
    lowest, highest = max(0, start - _AROUND), min(len(text), end + _AROUND)
    first = _behind_break(text, lowest, start, "\n", " ") if lowest else 0
    last = _before_break(text, end, highest, "\n", " ") if highest < len(text) else highest
    return f"{neutral(text[first:start].lstrip())}{_bold(text[start:end])}{neutral(text[end:last].rstrip())}"


def cut(text: str) -> str:
    """Return the first 600 characters, in whole words."""
    return neutral(text) if len(text) <= _WHOLE else neutral(text[: _before_break(text, 0, _WHOLE, " ")]) + "…"


def _bold(text: str) -> str:
    """Return the text in bold, with outer spaces outside, since Discord shows `**` beside a space as asterisks."""
    words = text.strip()
    start = text.index(words)
    return f"{text[:start]}**{cut(words)}**{text[start + len(words) :]}"


def _before(text: str, start: int, reach: int) -> str:
    lowest = max(0, start - reach)
    ends = [match.end() for match in _BORDER.finditer(text, lowest, start)]
    if ends or not lowest:
        return neutral(text[ends[-1] if ends else 0 : start].lstrip())
    return "…" + neutral(text[_behind_break(text, lowest, start, " ") : start])


def _behind(text: str, end: int, reach: int) -> str:
    highest = min(len(text), end + reach)
    border = _BORDER.search(text, end, highest)
    if border or highest == len(text):
        return neutral(text[end : border.end() if border else highest].rstrip())
    return neutral(text[end : _before_break(text, end, highest, " ")]) + "…"


def _behind_break(text: str, lowest: int, start: int, *breaks: str) -> int:
    """Return the position after the first of `breaks` that is found, tried in order; else `lowest`."""
    return next((at + 1 for mark in breaks if (at := text.find(mark, lowest, start)) >= 0), lowest)


def _before_break(text: str, end: int, highest: int, *breaks: str) -> int:
    return next((at for mark in breaks if (at := text.rfind(mark, end, highest)) >= 0), highest)
