"""Words for several blanks that go together: the surest blank is filled first, and the text read again with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.types.errors import InvalidRequest

_BEAMS = 8
"""Ways to fill the text that are followed at a time."""

_MOST_BLANKS = 32


@dataclass(frozen=True, slots=True)
class FillingBeam:
    """Tokens for some of the blanks, by the blank's number, and the probability of them together."""

    filled: tuple[tuple[int, int], ...]
    score: float


def likeliest(probabilities: Tensor, most: int) -> list[tuple[int, float]]:
    """The tokens of the highest `probabilities` [vocabulary], with these, best first."""
    scores, tokens = probabilities.topk(min(most, len(probabilities)))
    return list(zip(tokens.tolist(), scores.tolist(), strict=True))


def fill_together(
    tokens: Tensor,
    blanks: Tensor,
    alone: Tensor,
    most: int,
    probabilities: Callable[[Tensor, Tensor], Tensor],
    yield_point: Callable[[], None],
) -> list[tuple[list[int], float]]:
    """Up to `most` ways to fill the `blanks` (places in `tokens`), best first, with their probability.

    A beam search: each way fills the blank that it is surest of, and reads the text anew. `alone` [blanks, vocabulary]
    is how the text reads with nothing filled in; `probabilities` takes texts [texts, tokens] and blanks to
    [texts, blanks, vocabulary]. Raises InvalidRequest for too many blanks.
    """
    if len(blanks) > _MOST_BLANKS:
        raise InvalidRequest(
            "This text has {count} blanks; this model fills up to {most}. Leave some of them out.",
            count=len(blanks),
            most=_MOST_BLANKS,
        )
    beams = [FillingBeam((), 1.0)]
    read = alone[None]  # [beams, blanks, vocabulary]
    for left in range(len(blanks) - 1, -1, -1):
        yield_point()
        if beams[0].filled:
            texts = torch.stack([_with(tokens, blanks, beam) for beam in beams])  # [beams, tokens]
            read = probabilities(texts, blanks)
        width = most if left == 0 else _BEAMS
        grown = [new for beam, rows in zip(beams, read, strict=True) for new in _grow(beam, rows, width)]
        beams = _best(grown, width)
    return [([token for _, token in beam.filled], beam.score) for beam in beams]


def _with(tokens: Tensor, blanks: Tensor, beam: FillingBeam) -> Tensor:
    filled = tokens.clone()
    for blank, token in beam.filled:
        filled[blanks[blank]] = token
    return filled


def _grow(beam: FillingBeam, rows: Tensor, width: int) -> list[FillingBeam]:
    """Ways to fill one more blank, the one whose best word is surest; `rows` is [blanks, vocabulary]."""
    done = {blank for blank, _ in beam.filled}
    blank = max((blank for blank in range(len(rows)) if blank not in done), key=lambda blank: float(rows[blank].max()))
    return [
        FillingBeam(tuple(sorted([*beam.filled, (blank, token)])), beam.score * score)
        for token, score in likeliest(rows[blank], width)
    ]


def _best(beams: list[FillingBeam], width: int) -> list[FillingBeam]:
    """The best, each way once: it can have been reached in different orders."""
    unique: dict[tuple[tuple[int, int], ...], FillingBeam] = {}
    for beam in sorted(beams, key=lambda beam: -beam.score):
        unique.setdefault(beam.filled, beam)
    return list(unique.values())[:width]
