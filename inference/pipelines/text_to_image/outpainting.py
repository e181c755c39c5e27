"""What a diffusion model can draw around its pictures."""

from __future__ import annotations

from inference.pipelines.text_to_image.init_image import MULTIPLE
from inference.tasks import ImagineRequest

_MOST_NATIVE_SIDES = 2
"""The longest side of a canvas, in sides that the model was trained for. On larger ones it draws everything twice."""


def outpainting_side(native_side: int, request: ImagineRequest, multiple: int = MULTIPLE) -> int:
    """Return the longest side in pixels of a picture that the model can extend; `native_side` is its own side.

    It is a multiple of `multiple`.
    """
    return min(_MOST_NATIVE_SIDES * native_side, request.largest_side) // multiple * multiple
