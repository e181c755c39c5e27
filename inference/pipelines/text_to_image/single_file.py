"""Weights of a diffusion model in one file: a whole checkpoint, or its denoiser alone, also as GGUF.

The settings of the parts, the tokenizers and what the file does not hold come from a repository of diffusers, so that
nothing has to be asked of the hub.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
from diffusers import GGUFQuantizationConfig
from safetensors import SafetensorError, safe_open

from inference.hub import file_names
from inference.hub.repository_files import checkpoint_file
from inference.pipelines.devices import Placement
from inference.pipelines.pipeline import wrap_library_errors
from inference.pipelines.text_to_image.related_pipelines import pipeline_class
from inference.types import ModelSpec
from inference.types.errors import GenerationFailed, ModelUnavailable, OutOfMemory

_WHOLE_CHECKPOINT = ("first_stage_model.", "vae.")
"""Starts of names in a file that holds more than the denoiser."""


def networks_in_file(spec: ModelSpec, folder: Path, placement: Placement) -> dict[str, Any]:
    """Return the networks in the file that the spec names, by the names of the pipeline's parts; none without a file.

    Raise ModelUnavailable if the file does not belong to the repository in `folder`.
    """
    if not spec.file:
        return {}
    file = Path(spec.file if spec.file.startswith("/") else folder / checkpoint_file(file_names(folder), spec.file))
    try:
        with wrap_library_errors():
            whole = file.suffix == ".safetensors" and _is_whole(file)
            return _read_whole(file, folder, placement) if whole else _read_denoiser(file, folder, placement)
    except (SafetensorError, GenerationFailed) as error:
        if isinstance(error, OutOfMemory):
            raise
        raise ModelUnavailable(
            "{name} can't be loaded: {file} is damaged, or of another kind than the model in `repo`. The bot's "
            "operator has to name the `repo` that the file was made for.",
            name=spec.name,
            file=file.name,
        ) from error


def _is_whole(file: Path) -> bool:
    with safe_open(file, framework="pt") as tensors:  # pyright: ignore[reportUnknownVariableType]
        return any(str(name).startswith(_WHOLE_CHECKPOINT) for name in tensors.keys())  # noqa: SIM118


def _read_whole(file: Path, folder: Path, placement: Placement) -> dict[str, Any]:
    pipe = pipeline_class(folder).from_single_file(
        str(file), config=str(folder), torch_dtype=placement.dtype, local_files_only=True
    )
    return {
        name: part
        for name, part in pipe.components.items()
        if isinstance(part, diffusers.ModelMixin) or _is_encoder(name, part)
    }


def _is_encoder(name: str, part: Any) -> bool:
    return name.startswith("text_encoder") and part is not None


def _read_denoiser(file: Path, folder: Path, placement: Placement) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    name = next((name for name in ("transformer", "unet") if name in index), "")
    if not name or f"{name}_2" in index:
        raise ModelUnavailable(
            "{file} can't be used: the model in `repo` has not exactly one network that draws. The bot's operator has "
            "to remove `file`.",
            file=file.name,
        )
    options: dict[str, Any] = {}
    if file.suffix == ".gguf":
        options["quantization_config"] = GGUFQuantizationConfig(compute_dtype=placement.dtype)
    kind = getattr(diffusers, index[name][1])
    network = kind.from_single_file(
        str(file), config=str(folder), subfolder=name, torch_dtype=placement.dtype, local_files_only=True, **options
    )
    return {name: network.eval()}
