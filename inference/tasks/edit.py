"""Edit images by an instruction in words, such as "make the cup red"."""

from __future__ import annotations

from collections.abc import Hashable, Set
from dataclasses import dataclass
from typing import Self

from inference.limits import Limits, SafetySection
from inference.tasks.checks import check_text, check_within
from inference.tasks.imagine import ImageResult, ImagineRequest
from inference.tasks.task import Task
from inference.types.errors import InvalidRequest, Phrase

_USUAL_STEPS = 50
"""The steps of most models that edit, for forecasts of waiting times."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EditRequest(ImagineRequest):
    """Change `image`, a file, by the instruction in `prompt`. The result has the size and the form of the image.

    It is drawn from new noise, and the model looks at the image at every step; so it has no strength, mask or region.
    `image_guidance_scale` says how closely models such as InstructPix2Pix keep to the image (None: their own value).
    """

    task = "edit"
    inputs = ("image",)

    image_guidance_scale: float | None = None

    @property
    def batch_key(self) -> Hashable:
        settings = (self.width, self.height, self.steps, self.guidance_scale, self.image_guidance_scale)
        return (self.task, *settings)

    @property
    def work(self) -> float:
        pixels = (self.width or self.largest_side) * (self.height or self.largest_side)
        return (self.steps or _USUAL_STEPS) * self.count * pixels / 512**2

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        check_text(Phrase("instruction"), self.prompt, limits.prompt_characters)
        if "image" not in given:
            raise InvalidRequest("There is no picture to edit. Add the picture that should change.")
        if self.mask or self.region or self.strength is not None:
            raise InvalidRequest(
                "An edit in words takes no mask, region or strength. Leave them out, or use /imagine with the picture "
                "as `image`."
            )
        if self.sampler or self.fast or self.lora:
            raise InvalidRequest(
                "An edit uses the sampler of its model, without LoRAs and without `fast`. Leave these settings out."
            )
        if self.image_guidance_scale is not None:
            check_within(Phrase("image guidance"), self.image_guidance_scale, 1, 10)
        ImagineRequest.check_options(self, limits, safety, given)

    def normalized(self) -> Self:
        """Return the request as it is: an instruction is plain words, without the syntax of prompts."""
        return self


TASK = Task(name="edit", summary="edit a picture in words", requests=(EditRequest,), output=ImageResult)
