"""The pipelines of diffusers that edit an image by an instruction, and what is particular about each.

This needs neither torch nor diffusers, so that a repository's family can be found without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EditingFamily:
    """How one pipeline class takes an edit.

    `steps` and `guidance_scale` are what its makers use; None: what diffusers' call has as default. `guidance` and
    `image_guidance` are the names of its arguments for guidance by the instruction and by the image; an empty name
    means that it has no such guidance. `negative_prompt` is used if people give none: some pipelines leave out their
    guidance without one.
    """

    steps: int | None = None
    guidance_scale: float | None = None
    guidance: str = "guidance_scale"
    image_guidance: str = ""
    negative_prompt: str | None = None


_QWEN = EditingFamily(guidance="true_cfg_scale", negative_prompt=" ")

EDITING_FAMILIES: Mapping[str, EditingFamily] = {
    "StableDiffusionInstructPix2PixPipeline": EditingFamily(image_guidance="image_guidance_scale"),
    # The example of diffusers/sdxl-instructpix2pix-768
    "StableDiffusionXLInstructPix2PixPipeline": EditingFamily(
        steps=30, guidance_scale=3.0, image_guidance="image_guidance_scale"
    ),
    # The example of black-forest-labs/FLUX.1-Kontext-dev
    "FluxKontextPipeline": EditingFamily(guidance_scale=2.5),
    "Flux2Pipeline": EditingFamily(),
    "Flux2KleinPipeline": EditingFamily(),
    # The examples of Qwen/Qwen-Image-Edit and Qwen/Qwen-Image-Edit-2509
    "QwenImageEditPipeline": _QWEN,
    "QwenImageEditPlusPipeline": EditingFamily(
        steps=40, guidance=_QWEN.guidance, negative_prompt=_QWEN.negative_prompt
    ),
}
"""The families by the names of their pipeline classes."""

DISTILLED = EditingFamily(steps=4, guidance_scale=1.0)
"""A pipeline whose config says `is_distilled`, such as black-forest-labs/FLUX.2-klein-4B."""
