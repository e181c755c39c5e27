"""What a diffusion model can draw around its pictures."""

from __future__ import annotations

from typing import Any

from diffusers.pipelines.auto_pipeline import AUTO_INPAINT_PIPELINES_MAPPING, SUPPORTED_TASKS_MAPPINGS

from inference.pipelines.text_to_image.init_image import MULTIPLE
from inference.pipelines.text_to_image.related_pipelines import UNLISTED
from inference.tasks import ImagineRequest

_MOST_NATIVE_SIDES = 2
"""The longest side of a canvas, in sides that the model was trained for. On larger ones it draws everything twice."""


def can_inpaint(pipe: Any) -> bool:
    """Return whether diffusers has an inpainting pipeline for models of this kind."""
    name = type(pipe).__name__
    if (name, "inpaint") in UNLISTED:
        return True
    kinds = {kind for mapping in SUPPORTED_TASKS_MAPPINGS for kind, cls in mapping.items() if cls.__name__ == name}
    return not kinds.isdisjoint(AUTO_INPAINT_PIPELINES_MAPPING)


def outpainting_side(native_side: int, request: ImagineRequest, multiple: int = MULTIPLE) -> int:
    """Return the longest side in pixels of a picture that the model can extend; `native_side` is its own side.

    It is a multiple of `multiple`.
    """
    return min(_MOST_NATIVE_SIDES * native_side, request.largest_side) // multiple * multiple
