"""Which sentences of a text speak of a question: Okapi BM25 (Robertson and Zaragoza, 2009).

Words count by their first letters, so that "opens" and "opening" are the same (McNamee and Mayfield, 2004).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

from inference.pipelines.text_splitting import sentences, small

Span = tuple[int, int]

_LETTERS = 5
_SMALL = (
    "a about an and any are as at be been but by can could did do does for from had has have he her his how i if in is "
    "it its may me my of on or our she should so than that the their them then there these they this those to was we "
    "were what when where which who whom whose why will with would you your"
)
"""Words that say little; in a short text they are too few to be told by their number."""
EMPTY = frozenset(_SMALL.split())

_QUESTION = 0.5
"""What a sentence that asks is worth beside one that tells."""
_K1 = 1.2
_B = 0.75
_GAP = " …\n"
_SHORT = 8
"""Tokens of a sentence that is never cut."""


def relevant_spans(text: str, question: str, most: int = 8) -> tuple[Span, ...]:
    """Up to `most` sentences (start, end) of `text` that share words with `question`, the most telling first."""
    places = _places(sentences(text))
    return tuple(places[i] for i in _ranked(text, places, question)[:most])


def abridge(text: str, question: str, most: int, count: Callable[[str], int]) -> str:
    """What of `text` speaks of `question`, in at most about `most` tokens as told by `count`.

    The most telling sentences with their neighbours, in the order of the text; the beginning where none tells more.
    Long ones are cut, so that something fits of a text without sentences too.
    """
    longest = max(_SHORT, most // 4)  # so that one with its two neighbours fits
    places = _places([piece for sentence in sentences(text) for piece in small(sentence, longest, count)])
    kept: set[int] = set()
    room = most
    for i in _ranked(text, places, question) or range(len(places)):
        new = {j for j in (i - 1, i, i + 1) if 0 <= j < len(places)} - kept
        size = count(_GAP) + sum(count(text[slice(*places[j])]) for j in new)
        if size <= room:
            kept |= new
            room -= size
        elif kept:
            break
    return "".join(
        text[slice(*places[i])] + ("" if i + 1 in kept or i + 1 == len(places) else _GAP) for i in sorted(kept)
    )


def _places(pieces: Sequence[str]) -> list[Span]:
    ends = list(accumulate(map(len, pieces)))
    return list(zip([0, *ends], ends, strict=False))


def _ranked(text: str, places: list[Span], question: str) -> list[int]:
    """The indices of the sentences that share words with `question`, best first."""
    words = [Counter(_words(text[slice(*place)])) for place in places]
    known = Counter(word for counted in words for word in counted)
    usual = sum(counted.total() for counted in words) / max(1, len(words))
    rarity = {word: math.log(1 + (len(words) - n + 0.5) / (n + 0.5)) for word, n in known.items()}

    def score(counted: Counter[str]) -> float:
        length = _K1 * (1 - _B + _B * counted.total() / max(1.0, usual))
        shared = counted.keys() & asked
        return sum(rarity[word] * counted[word] * (_K1 + 1) / (counted[word] + length) for word in shared)

    asked = set(_words(question))
    asks = [text[slice(*place)].rstrip().endswith("?") for place in places]
    scores = [score(counted) * (_QUESTION if ask else 1) for counted, ask in zip(words, asks, strict=True)]
    return sorted((i for i, value in enumerate(scores) if value), key=lambda i: -scores[i])


def _words(text: str) -> list[str]:
    return [word[:_LETTERS] for word in re.findall(r"\w+", text.lower()) if word not in EMPTY]
