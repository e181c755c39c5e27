"""Enlarge an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from inference.tasks.picture_request import PictureRequest
from inference.tasks.task import Task
from inference.types import ModelSpec, Output


@dataclass(frozen=True, kw_only=True, slots=True)
class UpscaleRequest(PictureRequest):
    """Enlarge an image, given as the bytes of an image file, by the model's factor.

    `largest_side` limits the result, in pixels. `parameters` is written into the text chunk of the result's file: what
    the image was drawn from, if it is known. With `mark_origin`, the result says that a model drew or enlarged it.
    """

    task = "upscale"

    largest_side: int = 4096
    parameters: str = ""
    mark_origin: bool = False

    def resolved(self, spec: ModelSpec) -> Self:
        return replace(self, model=spec.name, largest_side=spec.largest_side)


@dataclass(frozen=True, slots=True)
class UpscaledImage(Output):
    """An enlarged image as a PNG file, its size in pixels, and that of the image that was given."""

    png: bytes
    width: int
    height: int
    given_width: int
    given_height: int


TASK = Task(name="upscale", summary="enlarge a picture", requests=(UpscaleRequest,), output=UpscaledImage)
