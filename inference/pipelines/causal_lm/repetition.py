"""What a text says again: small models go round in circles until they run out of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inference.pipelines.text_splitting import sentences

_WORD = re.compile(r"\w+")
_ENDED = re.compile(r"(?:[.!?…。！？][\"'”’)\]」』）*_]*|\n)\s*$")
_DOUBLED = re.compile(r"\b(\w+(?:\W+\w+){3,40}?)(?:\W+\1)+\b", re.IGNORECASE)
_SENTENCE = 3
"""Words of the shortest sentence that counts when it comes again; "Yes." may."""
_ROUND = 4
"""Words of the shortest round."""
_SAME = 0.8
"""Of a sentence's runs of four words, how many make it the same as one that has them too."""


def is_whole(text: str) -> bool:
    """Whether `text` ends with the end of a sentence, or of a line."""
    return _ENDED.search(text) is not None


def find_repetition(text: str) -> int | None:
    """Where the end of `text` begins to say again what stands before it; None if it doesn't.

    It does with a whole sentence or line that came before, or with four words or more three times in a row.
    """
    if is_whole(text):
        *before, last = sentences(text)
        words = _words(last)
        if len(words) >= _SENTENCE and words in map(_words, before):
            return len(text) - len(last)
    words = _words(text)
    for size in range(_ROUND, len(words) // 3 + 1):
        if words[-size:] == words[-2 * size : -size] == words[-3 * size : -2 * size]:
            return list(_WORD.finditer(text))[-2 * size].start()
    return None


def without_repetitions(text: str) -> str:
    """`text` without four words or more that come again right after themselves."""
    return _DOUBLED.sub(r"\1", text)


def deduplicate(pieces: Iterable[str]) -> list[str]:
    """Those of `pieces`, sentences or lines, that say something which none before them said in the same words."""
    told: list[tuple[str, set[tuple[str, ...]]]] = []
    for piece in pieces:
        runs = _runs(piece)
        if not any(len(runs & earlier) >= _SAME * len(runs) for _, earlier in told):
            told.append((piece, runs))
    return [piece for piece, _ in told]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _runs(text: str) -> set[tuple[str, ...]]:
    """All runs of four words; a shorter text is one run."""
    words = _words(text)
    return {tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3))}
