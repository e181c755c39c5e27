"""Splitting of long texts into parts that fit a model, at given boundaries or between sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from inference.text.sentences import sentences


def split_into_parts(
    text: str, max_tokens: int, count: Callable[[str], int], boundaries: Sequence[int] = ()
) -> list[str]:
    """Split a text into parts of about equal size, at most `max_tokens` as counted by `count`. Joined they are `text`.

    Parts end at `boundaries`, which are positions in `text`. If a passage between two of them is too long, it is cut
    between sentences; a long sentence between words; a long word anywhere.
    """
    pieces = [(piece, count(piece)) for piece in _split(text, max_tokens, count, boundaries)]
    total = sum(size for _, size in pieces)
    target_size = min(max_tokens, math.ceil(total / math.ceil(total / max_tokens)) + 1) if total else max_tokens
    parts: list[str] = []
    size = max_tokens + 1
    for piece, num_tokens in pieces:
        if size + num_tokens > max_tokens or size >= target_size:
            parts.append("")
            size = 0
        parts[-1] += piece
        size += num_tokens
    return parts


def _split(text: str, max_tokens: int, count: Callable[[str], int], boundaries: Sequence[int]) -> Iterator[str]:
    """Yield pieces that are small enough and are not cut further."""
    cuts = sorted({0, len(text), *(boundary for boundary in boundaries if 0 < boundary < len(text))})
    for start, end in pairwise(cuts):
        block = text[start:end]
        if boundaries and count(block) <= max_tokens:
            yield block
        else:
            yield from (piece for sentence in sentences(block) for piece in split_sentence(sentence, max_tokens, count))


def split_sentence(sentence: str, max_tokens: int, count: Callable[[str], int]) -> list[str]:
    """Halve `sentence` repeatedly, until each piece has at most `max_tokens`."""
    if count(sentence) <= max_tokens or len(sentence) < 2:
        return [sentence]
    middle = len(sentence) // 2
    cut = sentence.rfind(" ", 1, middle) + 1 or middle
    return [*split_sentence(sentence[:cut], max_tokens, count), *split_sentence(sentence[cut:], max_tokens, count)]
