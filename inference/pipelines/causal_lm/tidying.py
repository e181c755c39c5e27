"""What models write around a summary, taken off."""

from __future__ import annotations

import re

_PREAMBLE = re.compile(
    r"""^\W*(?:
        (?:(?:sure|certainly|of\ course|okay|ok)\b[^\n:]{0,40}?)?
        (?:here(?:'s|’s|\ is|\ are)|this\ is|below\ (?:is|are)|the\ following\ (?:is|are))\b[^\n:.]{0,100}:
      | (?:(?:in\ )?summary|tl;?dr|in\ short|(?:the\ )?(?:main|key)\ points)\W*[:,]
    )[\s*_]*""",
    re.IGNORECASE | re.VERBOSE,
)
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]*_]*(?=\s|$)")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s*")


def tidy(text: str, *, whole: bool) -> str:
    """Without a preamble, and up to the last whole sentence of a text that is not `whole`."""
    text = text.strip()
    while (shorter := _PREAMBLE.sub("", text)) != text:
        text = shorter
    if not whole:
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        text = text[: ends[-1]] if ends else text
    return text[:1].upper() + text[1:]


def tidy_bullets(text: str, *, whole: bool) -> str:
    """Lines that each begin with "- ", without an unfinished last one, and no point twice."""
    lines = [_BULLET.sub("", line).strip() for line in text.strip().splitlines()]
    if not whole and len(lines) > 1:
        del lines[-1]
    points = dict.fromkeys(tidy(line, whole=True) for line in lines if line)
    return "\n".join(f"- {point}" for point in points if point)
