"""Small previews of unfinished latents."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from diffusers import AutoencoderTiny
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.text_to_image.safety_checker import SafetyChecker

_MIN_INTERVAL = 3.0
"""The shortest time between two previews, in seconds."""

_MAX_TIME_SHARE = 0.05
"""The largest share of time for previews: the safety checker is slow on some machines."""

_UPSCALE = 4

# Rows: red, green, blue. Columns: the four latent channels, and a constant. Values from 0 to 1.
_LATENT_TO_RGB = {
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
"""Linear approximations of a latent's colour, by the autoencoder's scaling factor, which identifies the family."""

_MAX_WEIGHTS = 5_000_000
"""The largest autoencoder that is fast enough for previews, in weights."""


class LatentPreviews:
    """Draws previews of one pipeline's latents at intervals, if its latents can be decoded fast enough.

    `decoder` is a small decoder that the operator has chosen. Without it, colours are estimated where that is possible.
    """

    def __init__(
        self,
        pipe: Any,
        safety: SafetyChecker,
        clock: Callable[[], float] = time.monotonic,
        decoder: AutoencoderTiny | None = None,
    ) -> None:
        self._safety = safety
        self._clock = clock
        self._last = clock()
        self._interval = _MIN_INTERVAL
        if decoder is not None:
            self._decode_latents: LatentDecoder | None = partial(_decode_small, decoder)
        else:
            self._decode_latents = _latent_decoder(pipe.vae) if getattr(pipe, "vae", None) else None

    def due(self) -> bool:
        """Return whether it is time for the next preview."""
        return self._decode_latents is not None and self._clock() - self._last >= self._interval

    def draw(self, latents: torch.Tensor) -> bytes | None:
        """Return `latents` [channels, h, w] as PNG; None if the model's safety checker flags the preview."""
        started = self._clock()
        assert self._decode_latents is not None, "draw() needs due()"
        image = self._decode_latents(latents)
        png = None if self._safety.is_flagged(image) else encode_png(image)
        self._last = self._clock()
        self._interval = max(_MIN_INTERVAL, (self._last - started) / _MAX_TIME_SHARE)
        return png


LatentDecoder = Callable[[torch.Tensor], Image.Image]
"""Converts latents [channels, h, w] to an image."""


def _latent_decoder(autoencoder: Any) -> LatentDecoder | None:
    """Return a fast decoder for the autoencoder's latents; None if there is none."""
    config = autoencoder.config
    rows = _LATENT_TO_RGB.get(round(getattr(config, "scaling_factor", 0.0), 5))
    if rows and config.latent_channels == 4:
        return partial(_linear_rgb, torch.tensor(rows))
    is_small = autoencoder.num_parameters() <= _MAX_WEIGHTS
    return partial(_decode, autoencoder) if is_small else None


def _linear_rgb(rows: torch.Tensor, latents: torch.Tensor) -> Image.Image:
    weights, constant = rows[:, :4], rows[:, 4]
    return _to_image(torch.einsum("rc,chw->hwr", weights, latents.float().cpu()) + constant)


@torch.inference_mode()
def _decode(autoencoder: Any, latents: torch.Tensor) -> Image.Image:
    image = autoencoder.decode(_unscaled(autoencoder.config, latents[None])).sample[0]  # from -1 to 1
    image = image.reshape(3, *image.shape[-2:])  # one frame of a video
    return _to_image(image.float().cpu().permute(1, 2, 0) / 2 + 0.5)


def _unscaled(config: Any, latents: torch.Tensor) -> torch.Tensor:
    """Return latents [1, channels, h, w] as the autoencoder's own, of which the config has the mean and deviation.

    Autoencoders for videos get one frame: [1, channels, 1, h, w].
    """
    if getattr(config, "latents_mean", None) and getattr(config, "latents_std", None):
        mean, deviation = (
            torch.tensor(values).to(latents).view(1, -1, 1, 1) for values in (config.latents_mean, config.latents_std)
        )
        latents = latents * deviation + mean
    elif getattr(config, "scaling_factor", None):
        latents = latents / config.scaling_factor + (getattr(config, "shift_factor", None) or 0)
    return latents[:, :, None] if hasattr(config, "temperal_downsample") else latents


@torch.inference_mode()
def _decode_small(decoder: AutoencoderTiny, latents: torch.Tensor) -> Image.Image:
    (images,) = decoder.decode(latents[None].to(decoder.dtype), return_dict=False)  # [1, 3, h, w], from -1 to 1
    height, width = latents.shape[1:]
    colours = (images[0].float().cpu().permute(1, 2, 0) / 2 + 0.5).clamp(0, 1)
    picture = Image.fromarray((colours * 255).byte().numpy())
    return picture.resize((width * _UPSCALE, height * _UPSCALE), Image.Resampling.BICUBIC)  # as large as other previews


def _to_image(colours: torch.Tensor) -> Image.Image:
    """Convert colours [h, w, 3] from 0 to 1 to an image."""
    small = Image.fromarray((colours.clamp(0, 1) * 255).byte().numpy())
    return small.resize((small.width * _UPSCALE, small.height * _UPSCALE), Image.Resampling.BICUBIC)
