"""Cutting a long text into parts that fit a model, where something new begins, or along its sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

_SENTENCE = re.compile(r".+?(?:[.!?…](?![.!?…])[\"'”’)\]]*+(?=\s)|[。！？]+[」』）]*|\n|$)\s*", re.DOTALL)


def sentences(text: str) -> list[str]:
    """Each with the space after it: joined they are `text`."""
    return _SENTENCE.findall(text)


def split_into_parts(text: str, most: int, count: Callable[[str], int], borders: Sequence[int] = ()) -> list[str]:
    """Parts of about equal size, each of at most `most` tokens as told by `count`; joined they are `text`.

    Parts end at `borders`, places in `text`. What is too long between two of them is cut at a sentence, a longer
    sentence at a word, and a longer word anywhere.
    """
    pieces = [(piece, count(piece)) for piece in _pieces(text, most, count, borders)]
    total = sum(size for _, size in pieces)
    goal = min(most, math.ceil(total / math.ceil(total / most)) + 1) if total else most
    parts: list[str] = []
    size = most + 1
    for piece, length in pieces:
        if size + length > most or size >= goal:
            parts.append("")
            size = 0
        parts[-1] += piece
        size += length
    return parts


def _pieces(text: str, most: int, count: Callable[[str], int], borders: Sequence[int]) -> Iterator[str]:
    """What must not be cut further, since it is small enough."""
    places = sorted({0, len(text), *(border for border in borders if 0 < border < len(text))})
    for start, end in pairwise(places):
        block = text[start:end]
        if borders and count(block) <= most:
            yield block
        else:
            yield from (piece for sentence in sentences(block) for piece in small(sentence, most, count))


def small(sentence: str, most: int, count: Callable[[str], int]) -> list[str]:
    """`sentence` in halves of halves, until each counts `most` tokens or fewer."""
    if count(sentence) <= most or len(sentence) < 2:
        return [sentence]
    middle = len(sentence) // 2
    cut = sentence.rfind(" ", 1, middle) + 1 or middle
    return [*small(sentence[:cut], most, count), *small(sentence[cut:], most, count)]
