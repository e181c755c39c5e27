"""The pipelines of diffusers for the networks of one model: for text, for a picture, and for a part of a picture."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import diffusers
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

from inference.pipelines.diffusers_families import text_to_image_class
from inference.pipelines.text_to_image.generation_settings import Mode

_UNLISTED: dict[tuple[str, Mode], str] = {
    ("ChromaPipeline", "image"): "ChromaImg2ImgPipeline",
    ("Flux2KleinPipeline", "inpaint"): "Flux2KleinInpaintPipeline",
}
"""Pipelines that belong to each other, which diffusers' AutoPipeline does not know."""

_MASKED_CHANNELS = 9
"""Those of latents, of the picture's latents, and of the mask."""


def pipeline_class(folder: Path) -> Any:
    """Return the class that loads the diffusers repository in `folder`.

    A repository for pictures or inpainting is loaded as the text-to-image pipeline of its family.
    """
    index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    return getattr(diffusers, text_to_image_class(str(index["_class_name"])))


def related_pipeline(pipe: Any, mode: Mode) -> Any:
    """Return the pipeline of the same networks for `mode`, "image" or "inpaint"; None if diffusers has none."""
    related = pipe if mode == "inpaint" and "mask_image" in _parameters(pipe) else _from_pipe(pipe, mode)
    # Pipelines that edit by an instruction take a picture as well, and have no strength.
    needed = "strength" if mode == "image" else "mask_image"
    if related is None or needed not in _parameters(related) or (mode == "inpaint" and _lacks_mask_channels(related)):
        return None
    return related


def _lacks_mask_channels(pipe: Any) -> bool:
    """Return whether an inpainting pipeline of Kandinsky 2.2 has a network that was made for text alone."""
    return type(pipe).__name__.startswith("KandinskyV22") and pipe.unet.config.in_channels < _MASKED_CHANNELS


def _from_pipe(pipe: Any, mode: Mode) -> Any:
    unlisted = _UNLISTED.get((type(pipe).__name__, mode))
    if unlisted:
        return _with_networks_of(pipe, getattr(diffusers, unlisted))
    auto: Any = AutoPipelineForImage2Image if mode == "image" else AutoPipelineForInpainting
    try:
        return auto.from_pipe(pipe)
    except ValueError:
        return None


def _with_networks_of(pipe: Any, cls: Any) -> Any:
    """Return a pipeline with these networks. `from_pipe` would turn all of them into float32, in place."""
    known = {**pipe.config, **pipe.components}
    return cls(**{name: known[name] for name in inspect.signature(cls.__init__).parameters if name in known})


def _parameters(pipe: Any) -> Any:
    return inspect.signature(pipe.__call__).parameters
