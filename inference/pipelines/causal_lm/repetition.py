"""Detection of repetition: small models repeat themselves until they run out of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inference.text.sentences import sentences

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?:[.!?…。！？][\"'”’)\]」』）*_]*|\n)\s*$")
_INNER_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s")
_REPEATED = re.compile(r"\b(\w+(?:\W+\w+){3,40}?)(?:\W+\1)+\b", re.IGNORECASE)
_MIN_SENTENCE_WORDS = 3
"""Words in the shortest sentence that may not be repeated. "Yes." may."""
_MIN_PHRASE_WORDS = 4
"""Words in the shortest phrase that counts as repetition."""
_LOOP_WORDS = 60
"""The words at the end of a text that make a loop, if they do nothing but repeat."""
_MAX_PERIOD = 20
"""Words in the longest piece that is repeated in a loop."""
_DUPLICATE_SHARE = 0.8
"""The share of a sentence's four-word n-grams that makes it a duplicate of another sentence with the same n-grams."""


def is_complete(text: str) -> bool:
    """Return whether `text` ends with a finished sentence or line."""
    return _SENTENCE_END.search(text) is not None


def without_last_word(text: str) -> str:
    """Return a text that ends anywhere with "…" in place of its last word, which may be a part of one."""
    words = text.rsplit(None, 1)
    return f"{words[0] if len(words) > 1 else text}…" if text else ""


def until_last_sentence(text: str) -> str:
    """Return a text that was cut anywhere without its unfinished last sentence, or else without its last word."""
    ends = [match.end() for match in _INNER_SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else text.rpartition(" ")[0]


def find_repetition(text: str) -> int | None:
    """Return where the end of `text` begins to repeat the text before it; None if it does not.

    A repetition is a whole sentence or line that came before, or a phrase of four or more words three times in a row.
    """
    if is_complete(text):
        *before, last = sentences(text)
        words = _words(last)
        if len(words) >= _MIN_SENTENCE_WORDS and words in map(_words, before):
            return len(text) - len(last)
    words = _words(text)
    for size in range(_MIN_PHRASE_WORDS, len(words) // 3 + 1):
        if words[-size:] == words[-2 * size : -size] == words[-3 * size : -2 * size]:
            return list(_WORD.finditer(text))[-2 * size].start()
    return None


def find_loop(text: str) -> int | None:
    """Return where the text begins to do nothing but repeat one piece; the first time is kept. None if it does not.

    Unlike `find_repetition` this leaves refrains, lists and lines of code alone: a model has to be stuck.
    """
    matches = list(_WORD.finditer(text.lower()))
    words = [match[0] for match in matches]
    for period in range(1, _MAX_PERIOD + 1):
        start = len(words)
        while start > period and words[start - 1] == words[start - 1 - period]:
            start -= 1
        if len(words) - start >= _LOOP_WORDS:
            return matches[start].start()
    return None


def without_repetitions(text: str) -> str:
    """Return `text` without phrases of four or more words that directly repeat themselves."""
    return _REPEATED.sub(r"\1", text)


def deduplicate(pieces: Iterable[str]) -> list[str]:
    """Return `pieces` (sentences or lines) without those that repeat an earlier one in nearly the same words."""
    kept: list[tuple[str, set[tuple[str, ...]]]] = []
    for piece in pieces:
        ngrams = _ngrams(piece)
        if not any(len(ngrams & earlier) >= _DUPLICATE_SHARE * len(ngrams) for _, earlier in kept):
            kept.append((piece, ngrams))
    return [piece for piece, _ in kept]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _ngrams(text: str) -> set[tuple[str, ...]]:
    """Return all n-grams of four words. A shorter text is one n-gram."""
    words = _words(text)
    return {tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3))}
