"""Drawing image tokens: several pictures grow together, one token a round, each from noise of its own.

A token is drawn by the Gumbel-max trick: the best of logits plus Gumbel noise is a sample from their softmax. That
noise is made from normal noise, which can be turned towards that of another seed, and so the pictures resemble each
other whose noise does. On CPUs the rows of a step are filled up to a multiple of eight, on GPUs to one number:
with such shapes, no row's numbers depend on how many others there are. Where memory is short, there are fewer rows, and
so slightly other numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.prompt_tokenizer import TokenizedPrompt
from inference.pipelines.seed_variations import rotate_noise
from inference.tasks import Variation

MAX_BATCH_SIZE = 8
"""Pictures that grow together, in two rows each: with the prompt and without."""

_CPU_ROWS = 8


@dataclass(frozen=True, slots=True)
class TokenSampling:
    """What all pictures of a batch share; `codes` is how many tokens the image decoder knows."""

    scale: float
    temperature: float
    top_k: int
    codes: int


class TokenNoise:
    """Normal noise of one picture, a row for each token; always drawn on the CPU, so that devices agree."""

    def __init__(self, seed: int, variations: Sequence[Variation]) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._turns = [(torch.Generator().manual_seed(turn.seed), turn.strength) for turn in variations]

    def draw(self, codes: int) -> Tensor:
        """The next row [codes]."""
        noise = torch.randn(codes, generator=self._generator)
        for generator, strength in self._turns:
            noise = rotate_noise(noise, torch.randn(codes, generator=generator), strength)
        return noise


class ImageTokenGeneration:
    """The tokens of some pictures so far, `max_batch_size` at most; `unconditional` is the empty prompt."""

    @torch.inference_mode()
    def __init__(
        self,
        bart: DalleBart,
        settings: TokenSampling,
        texts: Sequence[TokenizedPrompt],
        unconditional: TokenizedPrompt,
        noises: Sequence[TokenNoise],
        max_batch_size: int = MAX_BATCH_SIZE,
    ) -> None:
        self._bart = bart
        self._settings = settings
        self._noises = list(noises)
        self._device = bart.lm_head.weight.device
        self._row_multiple = min(_CPU_ROWS, 2 * max_batch_size) if self._device.type == "cpu" else 2 * max_batch_size
        self.tokens = torch.full((len(texts), 0), bart.start, device=self._device)
        """[pictures, tokens so far]"""
        read = {text: _encoded(bart, text, self._device) for text in {*texts, unconditional}}  # each on its own
        rows = [read[text] for text in (*texts, *[unconditional] * len(texts))]
        states, masks = zip(*(rows[i] for i in self._filled(range(len(rows)))), strict=True)
        self._memory = bart.remember(torch.cat(states), torch.cat(masks))

    @torch.inference_mode()
    def step(self) -> None:
        """One token more for each picture."""
        count = len(self._noises)
        last = self.tokens[:, -1:] if self.tokens.shape[1] else self.tokens.new_full((count, 1), self._bart.start)
        rows = last[self._filled([*range(count), *range(count)])]
        logits = self._bart(rows, self._memory)[: 2 * count, 0, : self._settings.codes]
        conditional, unconditional = logits.chunk(2)
        guided = unconditional + self._settings.scale * (conditional - unconditional)
        self.tokens = torch.cat([self.tokens, self._choose(guided)[:, None]], dim=1)

    def keep(self, pictures: Sequence[int]) -> None:
        """Go on with these pictures alone."""
        count = len(self._noises)
        rows = self._filled([*pictures, *(count + i for i in pictures)])
        self._memory.select(torch.tensor(rows, device=self._device))
        self._noises = [self._noises[i] for i in pictures]
        self.tokens = self.tokens[list(pictures)]

    def _filled(self, rows: Sequence[int]) -> list[int]:
        """With the first one repeated until there are as many as there should be."""
        return [*rows, *[rows[0]] * (-len(rows) % self._row_multiple)]

    def _choose(self, logits: Tensor) -> Tensor:
        """A token [pictures] for each row of `logits` [pictures, codes]; temperature 0 takes the likeliest."""
        if not self._settings.temperature:
            return logits.argmax(dim=-1)
        scores = logits / self._settings.temperature
        if 0 < self._settings.top_k < scores.shape[1]:
            least = scores.topk(self._settings.top_k).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        noise = torch.stack([noise.draw(scores.shape[1]) for noise in self._noises])
        return (scores + _gumbel(noise).to(scores.device)).argmax(dim=-1)


def _encoded(bart: DalleBart, text: TokenizedPrompt, device: torch.device) -> tuple[Tensor, Tensor]:
    """States [1, tokens, width] and mask [1, tokens]."""
    mask = torch.tensor([text.mask], dtype=torch.bool, device=device)
    return bart.encode(torch.tensor([text.tokens], device=device), mask), mask


def _gumbel(normal: Tensor) -> Tensor:
    """Φ turns normal noise into uniform, and -log(-log) that into Gumbel noise."""
    return -torch.log(-torch.special.log_ndtr(normal))
