"""The words in Discord's marks for emoji, times and commands, which models would read as numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_COMMAND = re.compile(r"<(/[^:<>]+):\d+>")
_TIME = re.compile(r"<t:(-?\d{1,12})(?::[tTdDfFsSR])?>")


def in_words(text: str) -> str:
    """Return the text with `:name:` for an emoji, `/name` for a command, and a date and time for a time."""
    text = _EMOJI.sub(r"\1", text)
    text = _COMMAND.sub(r"\1", text)
    return _TIME.sub(lambda found: _time(int(found[1])) or found[0], text)


def _time(seconds: int) -> str:
    """Return the time in UTC; empty if there is no such year."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return ""
