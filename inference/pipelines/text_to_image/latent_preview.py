"""Small pictures of unfinished latents, so that people see their drawing take shape."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.text_to_image.safety_checker import SafetyChecker

_EVERY = 3.0
"""Seconds between two previews, at least."""

_SHARE = 0.05
"""Of the time, at most, goes into previews: on a slow machine the safety checker takes a while."""

_ENLARGED = 4

# Rows: red, green, blue. Columns: the four latent channels, and a constant. Values from 0 to 1.
_COLOURS = {
    # Stable Diffusion 1 and 2: a linear fit by Keturn, "Decoding latents to RGB without upscaling" (2022).
    0.18215: (
        (0.149, 0.0935, -0.079, -0.092, 0.5),
        (0.1035, 0.143, 0.0945, -0.1355, 0.5),
        (0.104, 0.0865, 0.132, -0.2365, 0.5),
    ),
    # Stable Diffusion XL: T. A. Vass, "Explaining the SDXL latent space" (2024), in 255ths.
    0.13025: (
        (60 / 255, -60 / 255, 25 / 255, -70 / 255, 150 / 255),
        (60 / 255, -5 / 255, 15 / 255, -50 / 255, 140 / 255),
        (60 / 255, 10 / 255, -5 / 255, -35 / 255, 130 / 255),
    ),
}
"""The colour of a latent, by the scaling factor of the autoencoder that tells the families apart."""

_SMALL = 5_000_000
"""Weights of an autoencoder that decodes a picture in no time."""


class LatentPreviews:
    """Draws previews of one pipeline's latents, a few seconds apart, for models whose latents it can read."""

    def __init__(self, pipe: Any, safety: SafetyChecker, clock: Callable[[], float] = time.monotonic) -> None:
        self._safety = safety
        self._clock = clock
        self._last = clock()
        self._pause = _EVERY
        self._view = _view_of(pipe.vae) if hasattr(pipe, "vae") else None

    def due(self) -> bool:
        """Whether it is time for the next one."""
        return self._view is not None and self._clock() - self._last >= self._pause

    def draw(self, latents: torch.Tensor) -> bytes | None:
        """A PNG of `latents` [channels, h, w]; None if the model's safety checker objects to what shows already."""
        started = self._clock()
        assert self._view is not None, "then no preview is due"
        image = self._view(latents)
        png = None if self._safety.objects(image) else encode_png(image)
        self._last = self._clock()
        self._pause = max(_EVERY, (self._last - started) / _SHARE)
        return png


LatentDecoder = Callable[[torch.Tensor], Image.Image]
"""A picture of latents [channels, h, w]."""


def _view_of(autoencoder: Any) -> LatentDecoder | None:
    """How to look at its latents quickly; None where there is no way."""
    config = autoencoder.config
    rows = _COLOURS.get(round(getattr(config, "scaling_factor", 0.0), 5))
    if rows and config.latent_channels == 4:
        return partial(_mixed, torch.tensor(rows))
    small = sum(weights.numel() for weights in autoencoder.parameters()) <= _SMALL
    return partial(_decoded, autoencoder) if small and hasattr(config, "scaling_factor") else None


def _mixed(rows: torch.Tensor, latents: torch.Tensor) -> Image.Image:
    mix, constant = rows[:, :4], rows[:, 4]
    return _enlarged(torch.einsum("rc,chw->hwr", mix, latents.float().cpu()) + constant)


@torch.inference_mode()
def _decoded(autoencoder: Any, latents: torch.Tensor) -> Image.Image:
    image = autoencoder.decode(latents[None] / autoencoder.config.scaling_factor).sample[0]  # [3, h, w], from -1 to 1
    return _enlarged(image.float().cpu().permute(1, 2, 0) / 2 + 0.5)


def _enlarged(colours: torch.Tensor) -> Image.Image:
    """Colours [h, w, 3] from 0 to 1."""
    small = Image.fromarray((colours.clamp(0, 1) * 255).byte().numpy())
    return small.resize((small.width * _ENLARGED, small.height * _ENLARGED), Image.Resampling.BICUBIC)
