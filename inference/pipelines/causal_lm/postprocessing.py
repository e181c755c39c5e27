"""Cleanup of generated summaries."""

from __future__ import annotations

import re

from inference.pipelines.causal_lm.repetition import deduplicate, is_complete, without_last_word, without_repetitions
from inference.text.sentences import sentences

_PREAMBLE = re.compile(
    r"""^\W*(?:
        (?:(?:sure|certainly|of\ course|okay|ok)\b[^\n:]{0,40}?)?
        (?:here(?:'s|’s|\ is|\ are)|this\ is|below\ (?:is|are)|the\ following\ (?:is|are))\b[^\n:.]{0,100}:
      | (?:(?:in\ )?summary|tl;?dr|in\ short|(?:the\ )?(?:main|key)\ points)\W*[:,]
    )[\s*_]*""",
    re.IGNORECASE | re.VERBOSE,
)
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s*")


def clean_summary(text: str, *, complete: bool) -> str:
    """Return `text` without a preamble and without repeated sentences.

    If the text is not `complete`, its unfinished last sentence is dropped. If none is finished, it ends with "…".
    """
    text = text.strip()
    while (shorter := _PREAMBLE.sub("", text)) != text:
        text = shorter
    kept = sentences(without_repetitions(text))
    if not complete:
        kept = list(filter(is_complete, kept)) or [*map(without_last_word, kept)]
    text = "".join(deduplicate(kept))
    return text[:1].upper() + text[1:].rstrip()


def clean_bullets(text: str, *, complete: bool) -> str:
    """Return lines that begin with "- ", without an unfinished last line and without repeated points."""
    lines = [_BULLET.sub("", line).strip() for line in text.strip().splitlines()]
    complete = complete or is_complete(text)
    if not complete and len(lines) > 1:
        del lines[-1]
        complete = True
    points = deduplicate(clean_summary(line, complete=complete) for line in lines if line)
    return "\n".join(f"- {point}" for point in points if point)
