"""The blanks of a text: how they are written, and the text with words in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inference.types import Filling, Joint, Prediction

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
) -> Filling:
    """`blanks` has each blank's own words with their scores, `together` words for all of them; best first.

    A blank's word is shown with the best ones of `together` in the other blanks.
    """
    best = list(together[0][0])

    def with_word(i: int, word: str) -> str:
        return _joined(pieces, [*best[:i], word, *best[i + 1 :]])

    return Filling(
        tuple(
            tuple(Prediction(word, score, with_word(i, word)) for word, score in words)
            for i, words in enumerate(blanks)
        ),
        _joined(pieces, best),
        tuple(Joint(tuple(words), score, _joined(pieces, words)) for words, score in together),
    )


def _joined(pieces: Sequence[str], words: Sequence[str]) -> str:
    return pieces[0] + "".join(word + piece for word, piece in zip(words, pieces[1:], strict=True))
