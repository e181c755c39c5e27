"""Excerpts of a text around a span, which is in bold."""

from __future__ import annotations

from itertools import accumulate

from cogs.common import neutral
from inference import sentences, shortened

_REACH = 300
_AROUND = 700
_WHOLE = 600


def in_sentence(text: str, start: int, end: int, reach: int = _REACH) -> str:
    """Return the sentence around `text[start:end]`; of a long one, whole words within `reach` characters each side."""
    lowest, highest = max(0, start - reach), min(len(text), end + reach)
    borders = [*accumulate(map(len, sentences(text[lowest:highest])), initial=lowest)]
    first = max(border for border in borders if border <= start)
    last = min(border for border in borders if border >= end)
    before, after = "", ""
    if first == lowest > 0:
        first, before = _behind_break(text, lowest, start, " "), "…"
    if last == highest < len(text):
        last, after = _before_break(text, end, highest, " "), "…"
    left, right = neutral(text[first:start].lstrip()), neutral(text[end:last].rstrip())
    return f"{before}{left}{_bold(text[start:end])}{right}{after}"


def in_paragraphs(text: str, start: int, end: int) -> str:
    """Return the lines around `text[start:end]`, about 700 characters on each side."""
    lowest, highest = max(0, start - _AROUND), min(len(text), end + _AROUND)
    first = _behind_break(text, lowest, start, "\n", " ") if lowest else 0
    last = _before_break(text, end, highest, "\n", " ") if highest < len(text) else highest
    return f"{neutral(text[first:start].lstrip())}{_bold(text[start:end])}{neutral(text[end:last].rstrip())}"


def cut(text: str) -> str:
    """Return the beginning of a long text, in whole sentences or words."""
    return neutral(shortened(text, _WHOLE))


def _bold(text: str) -> str:
    """Return the text in bold, with outer spaces outside, since Discord shows `**` beside a space as asterisks."""
    words = text.strip()
    start = text.index(words)
    return f"{text[:start]}**{cut(words)}**{text[start + len(words) :]}"


def _behind_break(text: str, lowest: int, start: int, *breaks: str) -> int:
    """Return the position after the first of `breaks` that is found, tried in order; else `lowest`."""
    return next((at + 1 for mark in breaks if (at := text.find(mark, lowest, start)) >= 0), lowest)


def _before_break(text: str, end: int, highest: int, *breaks: str) -> int:
    return next((at for mark in breaks if (at := text.rfind(mark, end, highest)) >= 0), highest)
