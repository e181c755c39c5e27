"""Generation of image tokens: several images at a time, one token per step, each from its own noise.

Tokens are sampled with the Gumbel-max trick: the maximum of logits plus Gumbel noise is a sample from their softmax.
The Gumbel noise is computed from normal noise, which can be rotated towards that of another seed, so that images with
similar noise are similar. On CPUs the rows of a step are filled up to a multiple of eight, on GPUs to one fixed
number. With such shapes, no row's numbers depend on the number of other rows. If memory is short there are fewer rows,
and so slightly different numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.prompt_tokenizer import TokenizedPrompt
from inference.pipelines.image_job import rotate_noise
from inference.tasks import Variation

MAX_BATCH_SIZE = 8
"""Images that are generated together, with two rows each: with the prompt and without."""

_CPU_ROW_MULTIPLE = 8


@dataclass(frozen=True, slots=True)
class TokenSampling:
    """Settings shared by all images of a batch. `num_codes` is the number of tokens that the image decoder knows."""

    guidance_scale: float
    temperature: float
    top_k: int
    num_codes: int


class TokenNoise:
    """Normal noise for one image, one row per token. It is drawn on the CPU, so that all devices give the same."""

    def __init__(self, seed: int, variations: Sequence[Variation]) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._variations = [(torch.Generator().manual_seed(v.seed), v.strength) for v in variations]

    def draw(self, num_codes: int) -> Tensor:
        """Return the next row [num_codes]."""
        noise = torch.randn(num_codes, generator=self._generator)
        for generator, strength in self._variations:
            noise = rotate_noise(noise, torch.randn(num_codes, generator=generator), strength)
        return noise


class ImageTokenGeneration:
    """The tokens of at most `max_batch_size` images so far. `unconditional` is the empty prompt."""

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
        max_rows = 2 * max_batch_size
        self._row_multiple = min(_CPU_ROW_MULTIPLE, max_rows) if self._device.type == "cpu" else max_rows
        self.tokens = torch.full((len(texts), 0), bart.start, device=self._device)
        """[images, tokens so far]"""
        encoded = {text: _encode(bart, text, self._device) for text in {*texts, unconditional}}  # each on its own
        rows = [encoded[text] for text in (*texts, *[unconditional] * len(texts))]
        states, masks = zip(*(rows[i] for i in self._pad_rows(range(len(rows)))), strict=True)
        self._cache = bart.new_cache(torch.cat(states), torch.cat(masks))

    @torch.inference_mode()
    def step(self) -> None:
        """Generate one token for each image."""
        count = len(self._noises)
        last = self.tokens[:, -1:] if self.tokens.shape[1] else self.tokens.new_full((count, 1), self._bart.start)
        rows = last[self._pad_rows([*range(count), *range(count)])]
        logits = self._bart(rows, self._cache)[: 2 * count, 0, : self._settings.num_codes]
        conditional, unconditional = logits.chunk(2)
        guided = unconditional + self._settings.guidance_scale * (conditional - unconditional)
        self.tokens = torch.cat([self.tokens, self._sample(guided)[:, None]], dim=1)

    def keep(self, pictures: Sequence[int]) -> None:
        """Keep only these images."""
        count = len(self._noises)
        rows = self._pad_rows([*pictures, *(count + i for i in pictures)])
        self._cache.select(torch.tensor(rows, device=self._device))
        self._noises = [self._noises[i] for i in pictures]
        self.tokens = self.tokens[list(pictures)]

    def _pad_rows(self, rows: Sequence[int]) -> list[int]:
        """Repeat the first row until the number of rows is a multiple of the required one."""
        return [*rows, *[rows[0]] * (-len(rows) % self._row_multiple)]

    def _sample(self, logits: Tensor) -> Tensor:
        """Sample a token [images] for each row of `logits` [images, codes]. Temperature 0 takes the likeliest."""
        if not self._settings.temperature:
            return logits.argmax(dim=-1)
        scores = logits / self._settings.temperature
        if 0 < self._settings.top_k < scores.shape[1]:
            minimum = scores.topk(self._settings.top_k).values[:, -1:]
            scores = scores.masked_fill(scores < minimum, -torch.inf)
        noise = torch.stack([noise.draw(scores.shape[1]) for noise in self._noises])
        return (scores + _gumbel(noise).to(scores.device)).argmax(dim=-1)


def _encode(bart: DalleBart, text: TokenizedPrompt, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return states [1, tokens, width] and mask [1, tokens]."""
    mask = torch.tensor([text.mask], dtype=torch.bool, device=device)
    return bart.encode(torch.tensor([text.tokens], device=device), mask), mask


def _gumbel(normal: Tensor) -> Tensor:
    """Convert normal noise to uniform by Φ, and uniform noise to Gumbel noise by -log(-log)."""
    return -torch.log(-torch.special.log_ndtr(normal))
