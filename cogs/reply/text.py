"""Text on its way into a message: made harmless, and split where a reader would pause."""

from __future__ import annotations

import re

from discord.utils import escape_markdown, escape_mentions

PART = 1900
"""Discord takes 2000 characters; the rest is room for a note."""

SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+")
_PAUSES = [re.compile(r"\n\n+"), re.compile(r"\n"), SENTENCE_END, re.compile(r"\s+")]


def neutral(text: str) -> str:
    """Text that the bot did not write, so that it neither pings nor formats anything."""
    return escape_mentions(escape_markdown(text))


def as_written(text: str) -> str:
    """What somebody wrote, from what `neutral` made of it."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", text).replace("@\u200b", "@")


def quoted(text: str, longest: int = 300) -> str:
    """The beginning of what somebody wrote, on one quoted line: a reminder, not the text itself."""
    line = " ".join(text.split())
    return "> " + neutral(line if len(line) <= longest else line[: longest - 1] + "…")


def split(text: str, limit: int = PART) -> list[str]:
    """`text` in order, in parts of at most `limit` characters: `"".join(split(text)) == text`."""
    parts: list[str] = []
    while len(text) > limit:
        end = _pause(text[:limit])
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text]


def _pause(text: str) -> int:
    """Where to end a part: after the last paragraph, line, sentence or word of its second half."""
    for pause in _PAUSES:
        ends = [match.end() for match in pause.finditer(text, len(text) // 2)]
        if ends:
            return ends[-1]
    backslashes = len(text) - len(text.rstrip("\\"))
    return len(text) - backslashes % 2 or len(text)  # an escape stays with what it escapes


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def seconds(amount: float) -> str:
    """`40 s`, `3 min`"""
    return f"{max(1, round(amount))} s" if amount < 90 else f"{round(amount / 60)} min"


def bar(share: float, width: int = 10) -> str:
    """`▰▰▰▱▱▱▱▱▱▱` for 0.3"""
    filled = round(width * share)
    return "▰" * filled + "▱" * (width - filled)
