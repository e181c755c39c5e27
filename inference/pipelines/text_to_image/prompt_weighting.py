r"""Emphasis in prompts, as people write it since AUTOMATIC1111's tools: pure text, no model.

(word) weighs 1.1 times as much, (word:1.3) as much as it says, [word] 1.1 times less; brackets nest. \( is a bracket
itself, and so is one without a partner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = 1.1

_TOKEN = re.compile(
    r"""
    \\(?P<escaped>[()\[\]\\])
    | (?P<opening>[(\[])
    | (?P<number>:\s*(?P<weight>-?(?:\d+\.?\d*|\.\d+))\s*\))
    | (?P<closing>[)\]])
    | (?P<text>[^\\()\[\]:]+ | .)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class WeightedText:
    """A part of a prompt; `weight` says how much it counts, usually 1."""

    text: str
    weight: float = 1.0


def parse_weights(prompt: str) -> list[WeightedText]:
    """The prompt's pieces in order, those that follow each other with different weights."""
    pieces: list[WeightedText] = []
    opened: list[int] = []  # places in `pieces` of brackets without a partner so far
    for token in _TOKEN.finditer(prompt):
        if token["opening"]:
            opened.append(len(pieces))
        if (token["closing"] or token["number"]) and _close(pieces, opened, token):
            continue
        pieces.append(WeightedText(token["escaped"] or token[0]))
    return _merged(pieces)


def without_weights(prompt: str) -> str:
    """The prompt without its emphasis, for models that can't follow it."""
    return "".join(piece.text for piece in parse_weights(prompt))


def _close(pieces: list[WeightedText], opened: list[int], token: re.Match[str]) -> bool:
    """Weigh what lies within a pair of brackets, and take the brackets out; False when there is no partner."""
    partner = "[" if token["closing"] == "]" else "("
    start = next((i for i in reversed(opened) if pieces[i].text == partner), None)
    if start is None:
        return False
    factor = float(token["weight"]) if token["number"] else 1 / _STEP if partner == "[" else _STEP
    pieces[start].text = ""
    for piece in pieces[start:]:
        piece.weight *= factor
    while opened and opened[-1] >= start:
        opened.pop()
    return True


def _merged(pieces: list[WeightedText]) -> list[WeightedText]:
    merged: list[WeightedText] = []
    for piece in pieces:
        if merged and merged[-1].weight == piece.weight:
            merged[-1].text += piece.text
        elif piece.text:
            merged.append(piece)
    return merged
