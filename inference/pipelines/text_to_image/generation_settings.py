"""The settings that all images of one call share, and the specification of each image."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from inference.pipelines.text_to_image.init_image import MULTIPLE, InitImage
from inference.tasks import FastMode, Sampler, Variation

Mode = Literal["text", "image", "inpaint"]

_SIDE_STEP = 64
"""Sides that are multiples of this suit the latents of all models, at all depths of their U-Nets."""

_SMALL = 512
"""Below this side, such steps would be too coarse."""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """The settings that all images of one call share. Sizes are in pixels.

    A guidance scale of 1 or less disables guidance. `sampler` None is the model's own scheduler. `strength` is None
    without an initial image. `fast` has no open values. `sliced` saves memory, but takes longer.
    `image_guidance_scale` is that of models which edit, if they have one.
    """

    mode: Mode
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: Sampler | None
    strength: float | None
    lora: str
    fast: FastMode | None = None
    sliced: bool = False
    image_guidance_scale: float | None = None


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """Prompts of one image, and the noise that it starts from."""

    prompt: str
    negative_prompt: str
    seed: int
    variations: tuple[Variation, ...] = ()
    source: InitImage | None = None


def in_aspect(size: tuple[int, int], aspect: tuple[int, int]) -> tuple[int, int]:
    """Return a size with about as many pixels, in the shape of `aspect`; `size` itself if that is zeros."""
    if not any(aspect):
        return size
    area, ratio = size[0] * size[1], aspect[0] / aspect[1]
    width, height = sqrt(area * ratio), sqrt(area / ratio)
    step = MULTIPLE if min(size) < _SMALL else _SIDE_STEP
    return max(step, round(width / step) * step), max(step, round(height / step) * step)
