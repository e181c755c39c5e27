"""Markdown of Discord messages: escaping, quotes, bars, moments and durations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogs.i18n import tr
from inference import shortened

_INLINE = re.compile(
    r"[\\*_~|`<\[\]]"  # formatting, mentions, custom emoji, timestamps, masked links
    r"|:(?=//|[\w+~-]+:)"  # links, emoji by name
    r"|(?<=discord\.gg)/|(?<=discord\.com)/|(?<=discordapp\.com)/",  # invitations, which need no https
    re.IGNORECASE,
)
_LINE = r"(?:^|(?<=[\r\x85\u2028\u2029]))[^\S\n\r\x85\u2028\u2029]*"
"""The start of a line. Each line end is tried once, so that a long run of them stays fast."""

_LINE_START = re.compile(rf"({_LINE})([#>+-])", re.MULTILINE)
_NUMBERED = re.compile(rf"({_LINE}\d+)\.(?=\s)", re.MULTILINE)
_EVERYONE = re.compile(r"@(?=everyone|here)")
_ESCAPED = re.compile(r"\\(?:(@)\u200b|([^A-Za-z0-9\s]))")
_BLOCK = re.compile(r"(^```[\w+.#-]{0,30}\n(?=\s*(?!```)\S)(?:(?!```).)+\n```$)", re.MULTILINE | re.DOTALL)

_MOST_NUMBERS = 5
"""The most numbers that a warning names."""


def neutral(text: str, *, code: bool = False) -> str:
    """Escape text that the bot did not write, so that it does not ping, link, unfurl or format anything.

    It looks as it was written. With `code`, its code blocks stay code blocks, since nothing inside them is formatted.
    """
    if not code:
        return _escaped(text)
    return "".join(piece if _BLOCK.fullmatch(piece) else _escaped(piece) for piece in _BLOCK.split(text))


def without_escapes(text: str) -> str:
    """Return the text that `neutral` escaped."""
    return "".join(
        piece if _BLOCK.fullmatch(piece) else _ESCAPED.sub(lambda match: match[1] or match[2], piece)
        for piece in _BLOCK.split(text)
    )


def quoted(text: str, longest: int = 300) -> str:
    """Return the beginning of somebody's text as one quoted line."""
    line = " ".join(text.split())
    return "> " + neutral(shortened(line, longest))


def tail(text: str, longest: int) -> str:
    """Return the end of escaped text, which is what people read of a growing text; cut no escape in two."""
    if len(text) <= longest:
        return text
    start = len(text) - longest
    before = text[:start]
    return "…" + text[start + (len(before) - len(before.rstrip("\\"))) % 2 :]


def _escaped(text: str) -> str:
    text = _INLINE.sub(r"\\\g<0>", text)
    text = _NUMBERED.sub(r"\1\\.", _LINE_START.sub(r"\1\\\2", text))
    return _EVERYONE.sub("\\\\@\u200b", text)


def seconds(amount: float) -> str:
    """Return a duration as text: `40 s`, `3 min`."""
    if amount < 90:
        return tr("{count} s", count=max(1, round(amount)))
    return tr("{count} min", count=round(amount / 60))


def relative(moment: float) -> str:
    """Return a moment, in seconds since 1970, that Discord shows as `in 6 days`, in the reader's language."""
    return f"<t:{round(moment)}:R>"


def unsupported(numbers: Sequence[str]) -> str:
    """Return a warning about numbers that a model wrote and that its text does not have; empty without any."""
    shown = ", ".join(numbers[:_MOST_NUMBERS]) + (" …" if len(numbers) > _MOST_NUMBERS else "")
    return tr("Not reliable: the text does not have the numbers {numbers}", numbers=shown) if numbers else ""


def bar(share: float, width: int = 10) -> str:
    """Return a bar: `▰▰▰▱▱▱▱▱▱▱` for 0.3."""
    filled = round(width * share)
    return "▰" * filled + "▱" * (width - filled)
