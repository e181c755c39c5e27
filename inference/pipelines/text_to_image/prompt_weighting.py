r"""Weights in prompts, in the notation of AUTOMATIC1111's web UI. Needs no model.

(word) has weight 1.1, (word:1.3) the given weight, [word] 1 / 1.1; brackets can be nested. \( is a literal bracket,
and so is a bracket without a partner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_EMPHASIS = 1.1

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
    """A part of a prompt with its weight, which is usually 1."""

    text: str
    weight: float = 1.0


def parse_weights(prompt: str) -> list[WeightedText]:
    """Return the parts of the prompt in order. Neighbours have different weights."""
    parts: list[WeightedText] = []
    open_brackets: list[int] = []  # indices in `parts` of brackets without a partner so far
    for match in _TOKEN.finditer(prompt):
        if match["opening"]:
            open_brackets.append(len(parts))
        if (match["closing"] or match["number"]) and _close(parts, open_brackets, match):
            continue
        parts.append(WeightedText(match["escaped"] or match[0]))
    return _merge(parts)


def without_weights(prompt: str) -> str:
    """Return the prompt without weights, for models that don't support them."""
    return "".join(part.text for part in parse_weights(prompt))


def _close(parts: list[WeightedText], open_brackets: list[int], match: re.Match[str]) -> bool:
    """Weight the parts within a pair of brackets and remove the brackets. Return False if there is no partner."""
    partner = "[" if match["closing"] == "]" else "("
    start = next((i for i in reversed(open_brackets) if parts[i].text == partner), None)
    if start is None:
        return False
    factor = float(match["weight"]) if match["number"] else 1 / _EMPHASIS if partner == "[" else _EMPHASIS
    parts[start].text = ""
    for part in parts[start:]:
        part.weight *= factor
    while open_brackets and open_brackets[-1] >= start:
        open_brackets.pop()
    return True


def _merge(parts: list[WeightedText]) -> list[WeightedText]:
    merged: list[WeightedText] = []
    for part in parts:
        if merged and merged[-1].weight == part.weight:
            merged[-1].text += part.text
        elif part.text:
            merged.append(part)
    return merged
