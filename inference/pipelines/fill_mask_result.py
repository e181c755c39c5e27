"""From a model's words for each blank to what people see: equal ones counted as one, the best ones varied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from inference.tasks import FillMaskResult, JointPrediction, Prediction
from inference.types.errors import InvalidRequest

Filling = tuple[tuple[str, ...], float]
"""A word for each blank, and their probability."""

_FAINT = 0.05


def fill_mask_result(
    pieces: Sequence[str],
    blanks: Sequence[Sequence[tuple[str, float]]],
    together: Sequence[tuple[Sequence[str], float]],
    most: int,
) -> FillMaskResult:
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

    return FillMaskResult(
        tuple(
            tuple(Prediction(word, score, with_word(i, word)) for (word,), score in alone[:most])
            for i, alone in enumerate(_merged(((word,), score) for word, score in words) for words in blanks)
        ),
        _joined(pieces, best),
        tuple(JointPrediction(words, score, _joined(pieces, words)) for words, score in ways),
    )


def _merged(ways: Iterable[tuple[Sequence[str], float]]) -> list[Filling]:
    """Best first; those with the same words as one, of the sum of their probabilities."""
    scores: dict[tuple[str, ...], float] = {}
    for words, score in ways:
        if all(words):
            scores[tuple(words)] = scores.get(tuple(words), 0.0) + score
    return _ranked(scores.items())


def _varied(ways: Sequence[Filling], most: int) -> list[Filling]:
    """`most` of them; a word fills its blank in half of them only, if others are not much less likely than the best."""
    seen: Counter[tuple[int, str]] = Counter()
    chosen: list[Filling] = []
    others: list[Filling] = []
    for words, score in ways:
        places = list(enumerate(words))
        common = any(seen[place] >= (most + 1) // 2 for place in places)
        if common or score < _FAINT * ways[0][1] or len(chosen) == most:
            others.append((words, score))
        else:
            chosen.append((words, score))
            seen.update(places)
    return _ranked([*chosen, *others[: most - len(chosen)]])


def _ranked(ways: Iterable[Filling]) -> list[Filling]:
    return sorted(ways, key=lambda way: -way[1])


def _joined(pieces: Sequence[str], words: Sequence[str]) -> str:
    return pieces[0] + "".join(word + piece for word, piece in zip(words, pieces[1:], strict=True))
