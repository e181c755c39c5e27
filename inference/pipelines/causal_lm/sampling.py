"""From logits to next tokens, for many texts at once, each with its own settings and its own random numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inference.pipelines.causal_lm.prompts import Prompt


class SequenceSampler:
    """How one text draws its tokens. `temperature` 0 takes the likeliest; `top_p` 1 allows all."""

    def __init__(self, prompt: Prompt) -> None:
        self.temperature = prompt.temperature
        self.top_p = prompt.top_p
        self.penalty = prompt.repetition_penalty
        self.random = torch.Generator().manual_seed(prompt.seed)
        self._there = torch.empty(0, dtype=torch.long)
        if self.penalty != 1:
            self._there = torch.tensor(prompt.tokens + [0] * prompt.max_new_tokens)
        self._count = len(prompt.tokens)

    @property
    def there(self) -> torch.Tensor:
        """The tokens of the prompt and of the text so far, where a penalty asks for them."""
        return self._there[: self._count]

    def add(self, token: int) -> None:
        """The text has grown by `token`."""
        if self.penalty != 1:
            self._there[self._count] = token
            self._count += 1


@torch.inference_mode()
def draw(logits: torch.Tensor, samplers: Sequence[SequenceSampler]) -> list[int]:
    """One token a row of `logits` [rows, vocabulary], in fp32 on the CPU; a row's draw depends on that row alone.

    Nucleus sampling (Holtzman et al. 2019, https://arxiv.org/abs/1904.09751) allows the smallest set of
    likeliest tokens that together reach `top_p`. A token belongs to it if all likelier ones together stay
    below `top_p`: so we draw from all tokens, and again when the one drawn is outside. That is the same
    distribution, and spares sorting the vocabulary.
    """
    logits = _penalized(logits, samplers)
    tokens: list[int] = logits.argmax(dim=-1).tolist()
    rows = [row for row, sampler in enumerate(samplers) if sampler.temperature > 0]
    temperatures = torch.tensor([samplers[row].temperature for row in rows])[:, None]
    probabilities = torch.softmax(logits[rows] / temperatures, dim=-1)
    sums = probabilities.cumsum(dim=-1)
    while rows:
        drawn = _inverse(sums, [samplers[row] for row in rows])
        likelier = torch.where(probabilities > probabilities.gather(1, drawn), probabilities, 0.0).sum(dim=-1)
        outside = likelier >= torch.tensor([samplers[row].top_p for row in rows])
        for row, token in zip(rows, drawn[:, 0].tolist(), strict=True):
            tokens[row] = token  # one that is outside is drawn again
        rows = [row for row, again in zip(rows, outside.tolist(), strict=True) if again]
        probabilities, sums = probabilities[outside], sums[outside]
    return tokens


def _penalized(logits: torch.Tensor, samplers: Sequence[SequenceSampler]) -> torch.Tensor:
    """With the scores of tokens that are there already made less likely (Keskar et al. 2019,
    https://arxiv.org/abs/1909.05858, section 4.1): positive ones divided by the penalty, negative ones multiplied.
    """
    rows = [row for row, sampler in enumerate(samplers) if sampler.penalty != 1]
    if not rows:
        return logits
    logits = logits.clone()
    for row in rows:
        there, penalty = samplers[row].there, samplers[row].penalty
        scores = logits[row, there]
        logits[row, there] = torch.where(scores < 0, scores * penalty, scores / penalty)
    return logits


def _inverse(sums: torch.Tensor, samplers: Sequence[SequenceSampler]) -> torch.Tensor:
    """A token for each row [rows, 1]: the first whose running sum of probabilities passes a random number."""
    uniform = torch.stack([torch.rand(1, generator=sampler.random) for sampler in samplers])
    return torch.searchsorted(sums, uniform * sums[:, -1:], right=True).clamp(max=sums.shape[1] - 1)
