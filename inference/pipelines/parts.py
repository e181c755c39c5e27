"""Cutting a long text into parts that fit a model, along its sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

_SENTENCE = re.compile(r".+?(?:[.!?…]+[\"'”’)\]]*(?=\s)|\n|$)\s*", re.DOTALL)


def split_into_parts(text: str, most: int, count: Callable[[str], int]) -> list[str]:
    """Parts of about equal size, each of at most `most` tokens as told by `count`; joined they are `text`.

    A sentence longer than that is cut at a word, and a word longer than that anywhere.
    """
    pieces = [(piece, count(piece)) for sentence in _SENTENCE.findall(text) for piece in _small(sentence, most, count)]
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


def _small(sentence: str, most: int, count: Callable[[str], int]) -> list[str]:
    """`sentence` in halves of halves, until each counts `most` tokens or fewer."""
    if count(sentence) <= most or len(sentence) < 2:
        return [sentence]
    middle = len(sentence) // 2
    cut = sentence.rfind(" ", 1, middle) + 1 or middle
    return [*_small(sentence[:cut], most, count), *_small(sentence[cut:], most, count)]
