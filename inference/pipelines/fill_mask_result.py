"""From a model's words for each blank to the result: equal words are merged, and joint predictions are diversified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from inference.tasks import FillMaskResult, JointPrediction, Prediction
from inference.types.errors import InvalidRequest

ScoredWords = tuple[tuple[str, ...], float]
"""One word for each blank, and their probability."""

_MIN_SCORE_SHARE = 0.05


def fill_mask_result(
    pieces: Sequence[str],
    blanks: Sequence[Sequence[tuple[str, float]]],
    joint: Sequence[tuple[Sequence[str], float]],
    top_k: int,
) -> FillMaskResult:
    """Build a result from `blanks`, each blank's own words with scores, and `joint`, words for all blanks with scores.

    At most `top_k` of each are kept. Several tokens can give the same word, which are merged, or none, which are
    dropped. The text for a blank's word has the best joint words in the other blanks. Raise InvalidRequest if no word
    is left.
    """
    predictions = _diversify(_merge(joint), top_k)
    if not predictions:
        raise InvalidRequest("This model has no word for this blank. Write more before it.")
    best = list(predictions[0][0])

    def with_word(i: int, word: str) -> str:
        return _join(pieces, [*best[:i], word, *best[i + 1 :]])

    return FillMaskResult(
        tuple(
            tuple(Prediction(word, score, with_word(i, word)) for (word,), score in own_predictions[:top_k])
            for i, own_predictions in enumerate(_merge(((word,), score) for word, score in words) for words in blanks)
        ),
        _join(pieces, best),
        tuple(JointPrediction(words, score, _join(pieces, words)) for words, score in predictions),
    )


def _merge(predictions: Iterable[tuple[Sequence[str], float]]) -> list[ScoredWords]:
    """Merge predictions with equal words and add their probabilities. Return them best first."""
    scores: dict[tuple[str, ...], float] = {}
    for words, score in predictions:
        if all(words):
            scores[tuple(words)] = scores.get(tuple(words), 0.0) + score
    return _rank(scores.items())


def _diversify(predictions: Sequence[ScoredWords], top_k: int) -> list[ScoredWords]:
    """Return `top_k` predictions. A word fills a blank in at most half of them, if there are likely alternatives."""
    seen: Counter[tuple[int, str]] = Counter()
    diverse: list[ScoredWords] = []
    rest: list[ScoredWords] = []
    for words, score in predictions:
        positions = list(enumerate(words))
        common = any(seen[position] >= (top_k + 1) // 2 for position in positions)
        if common or score < _MIN_SCORE_SHARE * predictions[0][1] or len(diverse) == top_k:
            rest.append((words, score))
        else:
            diverse.append((words, score))
            seen.update(positions)
    return _rank([*diverse, *rest[: top_k - len(diverse)]])


def _rank(predictions: Iterable[ScoredWords]) -> list[ScoredWords]:
    return sorted(predictions, key=lambda prediction: -prediction[1])


def _join(pieces: Sequence[str], words: Sequence[str]) -> str:
    return pieces[0] + "".join(word + piece for word, piece in zip(words, pieces[1:], strict=True))
