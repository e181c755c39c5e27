"""The blanks of a text: how they are written, and the text with words in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from inference.errors import InvalidRequest
from inference.types import Filling, Joint, Prediction

Way = tuple[tuple[str, ...], float]
"""A word for each blank, and their probability."""

_FAINT = 0.05

_BLANK = re.compile(r"\[mask\]|<mask>|_{3,}", re.IGNORECASE)


def has_blank(text: str) -> bool:
    """`[MASK]` or `<mask>` in any case, or three underscores or more."""
    return _BLANK.search(text) is not None


def split_at_blanks(text: str) -> list[str]:
    """What stands before, between and after the blanks, to the letter: one piece more than there are blanks."""
    return _BLANK.split(text)


def filling(
    pieces: Sequence[str],
    blanks: Sequence[Sequence[tuple[str, float]]],
    together: Sequence[tuple[Sequence[str], float]],
    most: int,
) -> Filling:
    """`blanks` has each blank's own words with their scores, `together` words for all of them: the best of many.

    `most` of each are kept. Some tokens write the same word, or none: equal ones count as one, empty ones not at all.
    A blank's word is shown with the best ones of `together` in the other blanks. Raises InvalidRequest if none is left.
    """
    ways = _varied(_merged(together), most)
    if not ways:
        raise InvalidRequest("This model has no word for this blank. Write more before it.")
    best = list(ways[0][0])

    def with_word(i: int, word: str) -> str:
        return _joined(pieces, [*best[:i], word, *best[i + 1 :]])

    return Filling(
        tuple(
            tuple(Prediction(word, score, with_word(i, word)) for (word,), score in alone[:most])
            for i, alone in enumerate(_merged(((word,), score) for word, score in words) for words in blanks)
        ),
        _joined(pieces, best),
        tuple(Joint(words, score, _joined(pieces, words)) for words, score in ways),
    )


def _merged(ways: Iterable[tuple[Sequence[str], float]]) -> list[Way]:
    """Best first; those with the same words as one, of the sum of their probabilities."""
    scores: dict[tuple[str, ...], float] = {}
    for words, score in ways:
        if all(words):
            scores[tuple(words)] = scores.get(tuple(words), 0.0) + score
    return _ranked(scores.items())


def _varied(ways: Sequence[Way], most: int) -> list[Way]:
    """`most` of them; a word fills its blank in half of them only, if others are not much less likely than the best."""
    seen: Counter[tuple[int, str]] = Counter()
    chosen: list[Way] = []
    others: list[Way] = []
    for words, score in ways:
        places = list(enumerate(words))
        common = any(seen[place] >= (most + 1) // 2 for place in places)
        if common or score < _FAINT * ways[0][1] or len(chosen) == most:
            others.append((words, score))
        else:
            chosen.append((words, score))
            seen.update(places)
    return _ranked([*chosen, *others[: most - len(chosen)]])


def _ranked(ways: Iterable[Way]) -> list[Way]:
    return sorted(ways, key=lambda way: -way[1])


def _joined(pieces: Sequence[str], words: Sequence[str]) -> str:
    return pieces[0] + "".join(word + piece for word, piece in zip(words, pieces[1:], strict=True))
