"""Joint predictions for several blanks: fill the most certain blank first, then read the text again with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.types.errors import InvalidRequest

_NUM_BEAMS = 8
"""The number of beams."""

_MAX_BLANKS = 32


@dataclass(frozen=True, slots=True)
class FillingBeam:
    """Tokens for some of the blanks, by the blank's index, and their joint probability."""

    filled: tuple[tuple[int, int], ...]
    score: float


def top_tokens(probabilities: Tensor, top_k: int) -> list[tuple[int, float]]:
    """Return the tokens with the highest `probabilities` [vocabulary] and their probabilities, best first."""
    scores, tokens = probabilities.topk(min(top_k, len(probabilities)))
    return list(zip(tokens.tolist(), scores.tolist(), strict=True))


def fill_jointly(
    tokens: Tensor,
    blanks: Tensor,
    initial_probabilities: Tensor,
    num_results: int,
    probabilities: Callable[[Tensor, Tensor], Tensor],
    yield_point: Callable[[], None],
) -> list[tuple[list[int], float]]:
    """Return up to `num_results` predictions for the `blanks` (positions in `tokens`), best first, with probabilities.

    This is a beam search: each beam fills its most certain blank, then reads the text again.
    `initial_probabilities` [blanks, vocabulary] are those with nothing filled in. `probabilities` maps texts
    [texts, tokens] and blanks to [texts, blanks, vocabulary]. Raise InvalidRequest for too many blanks.
    """
    if len(blanks) > _MAX_BLANKS:
        raise InvalidRequest(
            "This text has {count} blanks; this model fills up to {most}. Leave some of them out.",
            count=len(blanks),
            most=_MAX_BLANKS,
        )
    beams = [FillingBeam((), 1.0)]
    beam_probabilities = initial_probabilities[None]  # [beams, blanks, vocabulary]
    for remaining in range(len(blanks) - 1, -1, -1):
        yield_point()
        if beams[0].filled:
            texts = torch.stack([_fill(tokens, blanks, beam) for beam in beams])  # [beams, tokens]
            beam_probabilities = probabilities(texts, blanks)
        width = num_results if remaining == 0 else _NUM_BEAMS
        pairs = zip(beams, beam_probabilities, strict=True)
        beams = _deduplicate([new for beam, rows in pairs for new in _extend(beam, rows, width)], width)
    return [([token for _, token in beam.filled], beam.score) for beam in beams]


def _fill(tokens: Tensor, blanks: Tensor, beam: FillingBeam) -> Tensor:
    filled = tokens.clone()
    for blank, token in beam.filled:
        filled[blanks[blank]] = token
    return filled


def _extend(beam: FillingBeam, probabilities: Tensor, width: int) -> list[FillingBeam]:
    """Return beams with one more filled blank, the most certain one. `probabilities` is [blanks, vocabulary]."""
    filled = {blank for blank, _ in beam.filled}
    open_blanks = (blank for blank in range(len(probabilities)) if blank not in filled)
    blank = max(open_blanks, key=lambda blank: float(probabilities[blank].max()))
    return [
        FillingBeam(tuple(sorted([*beam.filled, (blank, token)])), beam.score * score)
        for token, score in top_tokens(probabilities[blank], width)
    ]


def _deduplicate(beams: list[FillingBeam], width: int) -> list[FillingBeam]:
    """Return the best `width` beams. Equal beams can come from different orders."""
    unique: dict[tuple[tuple[int, int], ...], FillingBeam] = {}
    for beam in sorted(beams, key=lambda beam: -beam.score):
        unique.setdefault(beam.filled, beam)
    return list(unique.values())[:width]
