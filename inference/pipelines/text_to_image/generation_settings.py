"""The settings that all images of one call share, and the specification of each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.pipelines.text_to_image.init_image import InitImage
from inference.tasks import Sampler, Variation

Mode = Literal["text", "image", "inpaint"]


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """The settings that all images of one call share. Sizes are in pixels.

    A guidance scale of 1 or less disables guidance. `sampler` None is the model's own scheduler. `strength` is None
    without an initial image. `sliced` saves memory, but takes longer.
    """

    mode: Mode
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: Sampler | None
    strength: float | None
    lora: str
    sliced: bool = False


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """Prompts of one image, and the noise that it starts from."""

    prompt: str
    negative_prompt: str
    seed: int
    variations: tuple[Variation, ...] = ()
    source: InitImage | None = None
