"""What is told beside the answer to a question: other places that may be meant, and where the text speaks of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.pipelines.text_splitting import sentences
from inference.tasks import Answer

_MOST_PASSAGES = 3
_LEAST_SHARE = 0.01
"""Of the best span's score, below which another one is no alternative but noise."""


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A piece of the context that was read in one go, and the likeliest answer in it."""

    start: int
    end: int
    best: Answer


def alternatives(spans: Iterable[Answer], taken: Answer, most: int) -> tuple[Answer, ...]:
    """The best of `spans`, each about another place than `taken` and those before, and with other words."""
    ranked = sorted(spans, key=lambda span: -span.score)
    chosen = [taken] if taken.text else []
    others: list[Answer] = []
    for span in ranked:
        if len(others) == most or span.score < _LEAST_SHARE * ranked[0].score:
            break
        if any(map(str.isalnum, span.text)) and not any(
            _same_place(span, other) or _same_words(span, other) for other in chosen
        ):
            others.append(span)
            chosen.append(span)
    return tuple(others)


def _same_place(one: Answer, other: Answer) -> bool:
    return one.start < other.end and other.start < one.end


def _same_words(one: Answer, other: Answer) -> bool:
    """Whether one says nothing beyond the other: `Rome` after `in Rome`."""
    first, second = (" ".join(["", *answer.text.lower().split(), ""]) for answer in (one, other))
    return first in second or second in first


def best_passages(context: str, stretches: Sequence[ScoredPassage]) -> tuple[tuple[int, int], ...]:
    """The stretches with the likeliest answers, best first, each of whole sentences; those that overlap are one."""
    best: list[tuple[int, int]] = []
    for stretch in sorted(stretches, key=lambda stretch: -stretch.best.score):
        start, end = _whole_sentences(context, stretch)
        for i, (first, last) in enumerate(best):
            if start <= last and first <= end:
                best[i] = min(start, first), max(end, last)
                break
        else:
            if len(best) == _MOST_PASSAGES:
                break
            best.append((start, end))
    return _merged(best)


def _merged(stretches: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Growing can have made two of them meet; each takes the rank of its best part."""
    merged: list[tuple[int, int]] = []
    for start, end in stretches:
        meeting = [(first, last) for first, last in merged if start <= last and first <= end]
        whole = min([start, *(first for first, _ in meeting)]), max([end, *(last for _, last in meeting)])
        place = merged.index(meeting[0]) if meeting else len(merged)
        merged = [stretch for stretch in merged if stretch not in meeting]
        merged.insert(place, whole)
    return tuple(merged)


def _whole_sentences(context: str, stretch: ScoredPassage) -> tuple[int, int]:
    """Without the sentences that the stretch cuts at its ends, unless its answer is in them, and without blanks."""
    start, end = stretch.start, stretch.end
    pieces = sentences(context[start:end])
    if start > 0 and start + len(pieces[0]) <= stretch.best.start:
        start += len(pieces[0])
    if end < len(context) and end - len(pieces[-1]) >= max(stretch.best.end, start + 1):
        end -= len(pieces[-1])
    text = context[start:end]
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
