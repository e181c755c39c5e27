"""Alternatives to an answer, and the passages of the text that are relevant to the question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.tasks import Answer
from inference.text.sentences import sentences

_MAX_PASSAGES = 3
_MIN_SCORE_SHARE = 0.01
"""Spans with a smaller share of the best span's score are noise, not alternatives."""


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A span of the context that was read at once, and the likeliest answer in it."""

    start: int
    end: int
    best: Answer


def alternatives(spans: Iterable[Answer], best: Answer, max_count: int) -> tuple[Answer, ...]:
    """Return the best of `spans` that differ in position and in words from `best` and from each other."""
    ranked = sorted(spans, key=lambda span: -span.score)
    chosen = [best] if best.text else []
    found: list[Answer] = []
    for span in ranked:
        if len(found) == max_count or span.score < _MIN_SCORE_SHARE * ranked[0].score:
            break
        if any(map(str.isalnum, span.text)) and not any(
            _overlap(span, earlier) or _same_words(span, earlier) for earlier in chosen
        ):
            found.append(span)
            chosen.append(span)
    return tuple(found)


def _overlap(one: Answer, other: Answer) -> bool:
    return one.start < other.end and other.start < one.end


def _same_words(one: Answer, other: Answer) -> bool:
    """Return whether one answer contains the other, as `in Rome` contains `Rome`."""
    first, second = (" ".join(["", *answer.text.lower().split(), ""]) for answer in (one, other))
    return first in second or second in first


def best_passages(context: str, passages: Sequence[ScoredPassage]) -> tuple[tuple[int, int], ...]:
    """Return the passages with the likeliest answers, best first, trimmed to sentences. Overlapping ones are merged."""
    best: list[tuple[int, int]] = []
    for passage in sorted(passages, key=lambda passage: -passage.best.score):
        start, end = _trim_to_sentences(context, passage)
        for i, (first, last) in enumerate(best):
            if start <= last and first <= end:
                best[i] = min(start, first), max(end, last)
                break
        else:
            if len(best) == _MAX_PASSAGES:
                break
            best.append((start, end))
    return _merge_overlapping(best)


def _merge_overlapping(passages: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Merge passages that overlap after growing. Each gets the rank of its best part."""
    merged: list[tuple[int, int]] = []
    for start, end in passages:
        overlapping = [(first, last) for first, last in merged if start <= last and first <= end]
        union = min([start, *(first for first, _ in overlapping)]), max([end, *(last for _, last in overlapping)])
        rank = merged.index(overlapping[0]) if overlapping else len(merged)
        merged = [passage for passage in merged if passage not in overlapping]
        merged.insert(rank, union)
    return tuple(merged)


def _trim_to_sentences(context: str, passage: ScoredPassage) -> tuple[int, int]:
    """Remove sentences that are cut at the passage's ends, unless they contain its answer, and surrounding space."""
    start, end = passage.start, passage.end
    parts = sentences(context[start:end])
    if start > 0 and start + len(parts[0]) <= passage.best.start:
        start += len(parts[0])
    if end < len(context) and end - len(parts[-1]) >= max(passage.best.end, start + 1):
        end -= len(parts[-1])
    text = context[start:end]
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
