"""What is to be drawn: the plan that all pictures of one call share, and the subject of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.pipelines.text_to_image.init_image import InitImage
from inference.tasks import Sampler, Variation

Mode = Literal["text", "image", "inpaint"]


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What all pictures of one call share; sizes in pixels.

    Guidance of 1 or less is none. `sampler` None is the model's own, `strength` None where there is no source picture.
    `sliced` saves memory and takes longer.
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
    """What one picture shows, and the noise that it starts from."""

    prompt: str
    negative_prompt: str
    seed: int
    variations: tuple[Variation, ...] = ()
    source: InitImage | None = None
