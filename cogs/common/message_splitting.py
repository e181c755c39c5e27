"""Splitting long texts at paragraphs, lines, sentences or words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MESSAGE_LIMIT = 2000
"""Characters in a message. Discord counts code points, as Python does
(https://github.com/discord/discord-api-docs/issues/1315)."""

PART_LIMIT = 1900
"""Characters in a part; the rest is room for small print."""

_SENTENCE_END = re.compile(r"(?:[.!?…][\"'”’»)\]]*\s+|[。！？][」』）]*\s*)")
_PAUSES = [re.compile(r"\n\n+"), re.compile(r"\n"), _SENTENCE_END, re.compile(r"\s+")]
_FENCE = re.compile(r"\\.|(?P<opening>```(?:[\w+.#-]{0,30}\n)?)(?P<code>(?:(?!```).)+)```", re.DOTALL)
_CLOSING = "\n```"
_LINE_START = re.compile(r"(?:#{1,3}|-#|>(?:>>)?|[-*+]|\d{1,9}\.)\s")
_NARROWEST = 100
_LONGEST_CLUSTER = 20
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class _Fence:
    """A code block: `text[start:end]`, with the code in `text[code:stop]`."""

    start: int
    code: int
    stop: int
    end: int
    opening: str


def split_text(text: str, limit: int = PART_LIMIT) -> Iterator[str]:
    """Split `text` into parts of at most `limit` characters (at least 100); joined, the parts are `text`.

    The exception is a code block that is cut in two: it is closed at the end of the part and opened again in the next
    one, so that each part renders by itself.
    """
    limit = max(limit, _NARROWEST)
    fences = _fences(text)
    start, opening = 0, ""
    while len(opening) + len(text) - start > limit:
        end, cut = _end(text, start, start + limit - len(opening), fences)
        yield opening + text[start:end] + (_CLOSING if cut else "")
        start, opening = end, _reopened(cut) if cut else ""
    yield opening + text[start:]


def _fences(text: str) -> list[_Fence]:
    """Return the code blocks that Discord shows: closed, not escaped, not empty."""
    return [
        _Fence(match.start(), match.start("code"), match.end("code"), match.end(), match["opening"])
        for match in _FENCE.finditer(text)
        if match["opening"] and match["code"].strip()
    ]


def _reopened(fence: _Fence) -> str:
    """Return an opening with a line end; without one, Discord takes the first word of the code for the language."""
    return fence.opening if fence.opening.endswith("\n") else fence.opening + "\n"


def _end(text: str, start: int, furthest: int, fences: list[_Fence]) -> tuple[int, _Fence | None]:
    """Return where a part from `start` ends, and the code block that is cut in two there, if any."""
    end = _pause(text, start, furthest)
    fence = next((fence for fence in fences if fence.start < end < fence.end), None)
    if fence is None:
        return end, None
    if fence.start > (start + furthest) // 2 or (fence.start > start and end <= fence.code):
        return fence.start, None
    last = len(text[: fence.stop].rstrip()) - 1  # leave something for the next part
    furthest = min(furthest - len(_CLOSING), last if last > start else fence.stop)
    line = text.rfind("\n", max(start, fence.code) + 1, furthest) + 1
    return line or _anywhere(text, start, furthest), fence


def _pause(text: str, start: int, furthest: int) -> int:
    """Return the end of the last paragraph in the second half; else of the last line, sentence or word."""
    for pause in _PAUSES:
        ends = [match.end() for match in pause.finditer(text, (start + furthest) // 2, furthest)]
        if good := next((end for end in reversed(ends) if _may_end(text, end)), 0):
            return good
    return _anywhere(text, start, furthest)


def _anywhere(text: str, start: int, furthest: int) -> int:
    least = max(start, furthest - _LONGEST_CLUSTER)
    return next((end for end in range(furthest, least, -1) if _may_end(text, end)), furthest)


def _may_end(text: str, end: int) -> bool:
    """Return whether a part may end here: no escape or emoji is cut, and the next part begins no heading or list."""
    before, after = text[end - 1 : end], text[end : end + 1]
    inside = before == _JOINER or after == _JOINER or unicodedata.category(after or " ") in ("Mn", "Me", "Sk")
    line_start = before != "\n" and _LINE_START.match(text, end)
    return not (_backslashes(text, end) % 2 or inside or line_start)


def _backslashes(text: str, end: int) -> int:
    start = end
    while start and text[start - 1] == "\\":
        start -= 1
    return end - start
