"""What models write around a summary, taken off."""

from __future__ import annotations

import re

from inference.pipelines.parts import sentences

_PREAMBLE = re.compile(
    r"""^\W*(?:
        (?:(?:sure|certainly|of\ course|okay|ok)\b[^\n:]{0,40}?)?
        (?:here(?:'s|’s|\ is|\ are)|this\ is|below\ (?:is|are)|the\ following\ (?:is|are))\b[^\n:.]{0,100}:
      | (?:(?:in\ )?summary|tl;?dr|in\ short|(?:the\ )?(?:main|key)\ points)\W*[:,]
    )[\s*_]*""",
    re.IGNORECASE | re.VERBOSE,
)
_ENDED = re.compile(r"[.!?…。！？][\"'”’)\]」』）*_]*\s*$")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s*")


def tidy(text: str, *, whole: bool) -> str:
    """Without a preamble and without a sentence twice; one that is not `whole` ends with its last whole sentence."""
    text = text.strip()
    while (shorter := _PREAMBLE.sub("", text)) != text:
        text = shorter
    found = sentences(text)
    if not whole and len(found) > 1:
        found = [sentence for sentence in found if _ENDED.search(sentence)]
    once: dict[str, str] = {}
    for sentence in found:
        once.setdefault(sentence.strip(), sentence)
    text = "".join(once.values())
    return text[:1].upper() + text[1:].rstrip()


def tidy_bullets(text: str, *, whole: bool) -> str:
    """Lines that each begin with "- ", without an unfinished last one, and no point twice."""
    lines = [_BULLET.sub("", line).strip() for line in text.strip().splitlines()]
    if not whole and len(lines) > 1:
        del lines[-1]
    points = dict.fromkeys(tidy(line, whole=True) for line in lines if line)
    return "\n".join(f"- {point}" for point in points if point)
