"""What models write around a summary, taken off."""

from __future__ import annotations

import re

from inference.pipelines.causal_lm.repetition import deduplicate, is_whole, without_repetitions
from inference.pipelines.text_splitting import sentences

_PREAMBLE = re.compile(
    r"""^\W*(?:
        (?:(?:sure|certainly|of\ course|okay|ok)\b[^\n:]{0,40}?)?
        (?:here(?:'s|’s|\ is|\ are)|this\ is|below\ (?:is|are)|the\ following\ (?:is|are))\b[^\n:.]{0,100}:
      | (?:(?:in\ )?summary|tl;?dr|in\ short|(?:the\ )?(?:main|key)\ points)\W*[:,]
    )[\s*_]*""",
    re.IGNORECASE | re.VERBOSE,
)
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s*")


def clean_summary(text: str, *, whole: bool) -> str:
    """Without a preamble and without a sentence twice; one that is not `whole` ends with its last whole sentence.

    Where there is none, "…" tells so.
    """
    text = text.strip()
    while (shorter := _PREAMBLE.sub("", text)) != text:
        text = shorter
    found = sentences(without_repetitions(text))
    if not whole:
        found = list(filter(is_whole, found)) or [f"{sentence}…" for sentence in found]
    text = "".join(deduplicate(found))
    return text[:1].upper() + text[1:].rstrip()


def clean_bullets(text: str, *, whole: bool) -> str:
    """Lines that each begin with "- ", without an unfinished last one, and no point twice."""
    lines = [_BULLET.sub("", line).strip() for line in text.strip().splitlines()]
    whole = whole or is_whole(text)
    if not whole and len(lines) > 1:
        del lines[-1]
        whole = True
    points = deduplicate(clean_summary(line, whole=whole) for line in lines if line)
    return "\n".join(f"- {point}" for point in points if point)
