"""Small pictures of unfinished latents, so that people see their drawing take shape."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image

from inference.images import encode_png
from inference.pipelines.text_to_image.safety import SafetyChecker

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


class Previews:
    """Draws previews of one pipeline's latents, a few seconds apart, for models whose latents it can read."""

    def __init__(self, pipe: Any, safety: SafetyChecker, clock: Callable[[], float] = time.monotonic) -> None:
        self._safety = safety
        self._clock = clock
        self._last = clock()
        self._pause = _EVERY
        rows = _COLOURS.get(round(getattr(pipe.vae.config, "scaling_factor", 0.0), 5)) if hasattr(pipe, "vae") else None
        self._colours = torch.tensor(rows) if rows and pipe.vae.config.latent_channels == 4 else None

    def due(self) -> bool:
        """Whether it is time for the next one."""
        return self._colours is not None and self._clock() - self._last >= self._pause

    def draw(self, latents: torch.Tensor) -> bytes | None:
        """A PNG of `latents` [4, h, w]; None if the model's safety checker objects to what shows already."""
        started = self._clock()
        image = self._picture(latents)
        png = None if self._safety.objects(image) else encode_png(image)
        self._last = self._clock()
        self._pause = max(_EVERY, (self._last - started) / _SHARE)
        return png

    def _picture(self, latents: torch.Tensor) -> Image.Image:
        assert self._colours is not None
        mix, constant = self._colours[:, :4], self._colours[:, 4]
        colours = torch.einsum("rc,chw->hwr", mix, latents.float().cpu()) + constant
        pixels = (colours.clamp(0, 1) * 255).byte().numpy()
        small = Image.fromarray(pixels)
        return small.resize((small.width * _ENLARGED, small.height * _ENLARGED), Image.Resampling.BICUBIC)
