"""Sampling of next tokens for many sequences at once, each with its own parameters and random numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inference.pipelines.causal_lm.prompts import Prompt


class SequenceSampler:
    """Sampling parameters of one sequence, which has at most `capacity` tokens.

    Temperature 0 takes the likeliest token; `top_p` 1 allows all tokens.
    """

    def __init__(self, prompt: Prompt[list[int]], capacity: int) -> None:
        self.temperature = prompt.temperature
        self.top_p = prompt.top_p
        self.repetition_penalty = prompt.repetition_penalty
        self.generator = torch.Generator().manual_seed(prompt.seed)
        self._tokens = torch.empty(0, dtype=torch.long)
        if self.repetition_penalty != 1:
            self._tokens = torch.tensor(prompt.tokens + [0] * (capacity - len(prompt.tokens)))
        self._count = len(prompt.tokens)

    @property
    def seen_tokens(self) -> torch.Tensor:
        """The tokens of prompt and text so far. Only valid with a repetition penalty."""
        return self._tokens[: self._count]

    def append(self, token: int) -> None:
        """Record that `token` was generated."""
        if self.repetition_penalty != 1:
            self._tokens[self._count] = token
            self._count += 1


@torch.inference_mode()
def sample_tokens(logits: torch.Tensor, samplers: Sequence[SequenceSampler]) -> list[int | None]:
    """Return one token for each row of `logits` [rows, vocabulary], in fp32 on the CPU. Rows are independent.

    Return None for a row that is not finite.

    Nucleus sampling (Holtzman et al. 2019, https://arxiv.org/abs/1904.09751) allows the smallest set of the likeliest
    tokens that together reach `top_p`. A token is in the set if all likelier tokens together stay below `top_p`. So we
    sample from all tokens, and again if the token is outside the set. The distribution is the same, and the vocabulary
    need not be sorted.
    """
    logits = _penalize(logits, samplers)
    highest = logits.max(dim=-1)
    finite: list[bool] = highest.values.isfinite().tolist()  # NaN is the highest of all
    tokens: list[int | None] = [
        token if is_finite else None for token, is_finite in zip(highest.indices.tolist(), finite, strict=True)
    ]
    rows = [row for row, sampler in enumerate(samplers) if sampler.temperature > 0 and finite[row]]
    temperatures = torch.tensor([samplers[row].temperature for row in rows])[:, None]
    probabilities = torch.softmax(logits[rows] / temperatures, dim=-1)
    sums = probabilities.cumsum(dim=-1)
    while rows:
        sampled = _sample(sums, [samplers[row] for row in rows])
        likelier = torch.where(probabilities > probabilities.gather(1, sampled), probabilities, 0.0).sum(dim=-1)
        outside = likelier >= torch.tensor([samplers[row].top_p for row in rows])
        for row, token in zip(rows, sampled[:, 0].tolist(), strict=True):
            tokens[row] = token  # a token outside the set is sampled again
        rows = [row for row, rejected in zip(rows, outside.tolist(), strict=True) if rejected]
        probabilities, sums = probabilities[outside], sums[outside]
    return tokens


def _penalize(logits: torch.Tensor, samplers: Sequence[SequenceSampler]) -> torch.Tensor:
    """Make tokens that were already seen less likely.

    Source: Keskar et al. 2019, https://arxiv.org/abs/1909.05858, section 4.1. Positive scores are
    divided by the penalty, negative ones multiplied.
    """
    rows = [row for row, sampler in enumerate(samplers) if sampler.repetition_penalty != 1]
    if not rows:
        return logits
    logits = logits.clone()
    for row in rows:
        seen_tokens, repetition_penalty = samplers[row].seen_tokens, samplers[row].repetition_penalty
        scores = logits[row, seen_tokens]
        logits[row, seen_tokens] = torch.where(scores < 0, scores * repetition_penalty, scores / repetition_penalty)
    return logits


def _sample(sums: torch.Tensor, samplers: Sequence[SequenceSampler]) -> torch.Tensor:
    """Return a token for each row [rows, 1]: the first whose cumulative probability exceeds a random number."""
    uniform = torch.stack([torch.rand(1, generator=sampler.generator) for sampler in samplers])
    return torch.searchsorted(sums, uniform * sums[:, -1:], right=True).clamp(max=sums.shape[1] - 1)
