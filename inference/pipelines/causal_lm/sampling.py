"""From logits to the next token."""

from __future__ import annotations

import torch

_LIKELY = 512
"""A nucleus is nearly always among so many tokens, and finding them is far cheaper than sorting all."""


def sample(logits: torch.Tensor, temperature: float, top_p: float, generator: torch.Generator) -> int:
    """Draw a token from `logits` [vocabulary]; temperature 0 takes the likeliest.

    Nucleus sampling (Holtzman et al. 2019, https://arxiv.org/abs/1904.09751): only the smallest set of
    tokens whose probabilities reach `top_p` may be drawn.
    """
    if temperature == 0:
        return int(logits.argmax())
    probabilities = torch.softmax(logits / temperature, dim=-1)
    if top_p >= 1:
        return int(torch.multinomial(probabilities, 1, generator=generator))
    nucleus, tokens = _nucleus(probabilities, top_p)
    return int(tokens[torch.multinomial(nucleus, 1, generator=generator)])


def _nucleus(probabilities: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest tokens up to and with the one that reaches `top_p`, and their probabilities, falling."""
    for size in (min(_LIKELY, len(probabilities)), len(probabilities)):
        likely, tokens = probabilities.topk(size)
        before = likely.cumsum(0) - likely
        if before[-1] + likely[-1] >= top_p or size == len(probabilities):
            keep = before < top_p
            return likely[keep], tokens[keep]
    raise AssertionError("the second round takes all tokens")
