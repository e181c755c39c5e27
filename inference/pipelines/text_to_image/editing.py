"""Edits of images in words, with a diffusers pipeline made for that, such as InstructPix2Pix or FLUX Kontext."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import transformers
from diffusers import DiffusionPipeline
from transformers import ProcessorMixin

from inference.pipelines.devices import Placement
from inference.pipelines.diffusion_activations import Activations
from inference.pipelines.image_text_to_text.processor import read_processor
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.edit_runner import EditRunner
from inference.pipelines.text_to_image.loading import read_pipeline, read_preview_decoder
from inference.pipelines.text_to_image.model_defaults import ModelDefaults
from inference.pipelines.text_to_image.offload import offload_for
from inference.types import ModelSpec


class ImageEditing(TextToImage):
    """A diffusers pipeline that edits one image at a time. Its progress, checks and files are those of drawings."""

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        offload = offload_for(spec.offload, placement.device)
        processors = read_processors(folder)
        pipe = read_pipeline(
            folder, placement, DiffusionPipeline, quantize=spec.quantize, offload=offload, **processors
        )
        return cls(
            pipe,
            runner=EditRunner(pipe, ModelDefaults.of(spec)),
            preview_decoder=read_preview_decoder(spec, pipe, placement) if spec.preview_decoder else None,
            offload=offload,
            working_bytes=Activations.of(spec, folder, placement.dtype.itemsize, placement.device.type).working,
        )


def read_processors(folder: Path) -> dict[str, Any]:
    """Return the pipeline's processors for pictures and texts by name: diffusers would need torchvision for videos."""
    index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    return {
        name: read_processor(folder / name, class_name)
        for name, entry in index.items()
        if isinstance(entry, list) and entry and _is_processor(class_name := entry[-1])
    }


def _is_processor(class_name: object) -> bool:
    cls = getattr(transformers, class_name, None) if isinstance(class_name, str) else None
    return isinstance(cls, type) and issubclass(cls, ProcessorMixin)
