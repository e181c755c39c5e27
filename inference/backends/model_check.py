"""The check of a model from its settings files and the sizes of its files, as before its weights are downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.backends.memory_steps import QUANTIZES, chosen_options, first_that_fits, memory_steps
from inference.config.schema import Config
from inference.hub import CONFIG, INDEX, read_settings
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.diffusion_memory import QUANTIZED_BYTES, diffusion_bytes, network_bytes, undivided_network
from inference.pipelines.gguf import gguf_summary
from inference.pipelines.main_memory import main_memory_budget
from inference.pipelines.number_formats import memory_growth
from inference.pipelines.pipeline import wrap_library_errors
from inference.pipelines.torch_import import import_without_pauses
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from inference.types.sizes import size_text

if TYPE_CHECKING:
    import torch

_STORED_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_WIDTHS = ("hidden_size", "n_embd", "d_model")
"""The names of the size of an embedding in the configs of models."""


class ModelCheck:
    """Refuses models that this machine can't run. Used by `Hub`, on any thread.

    torch is imported only for a model of which it alone can say whether it fits.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        """The settings whose memory counts."""

    def __call__(self, spec: ModelSpec, folder: Path, nbytes: int) -> None:
        """Check the model whose settings files are in `folder`, and whose files have `nbytes`.

        Raise ModelUnavailable: no device, no family, a number format or code of its own, or too large.
        """
        with wrap_library_errors(loading=spec.name):
            compatible_family(spec, folder, known_device_type(spec))
            if surely_fits(spec, folder, nbytes, self.config):
                return
            import_without_pauses("torch")
            from inference.pipelines.devices import place

            placement = place(spec.device, spec.dtype)
            allowed = budget(self.config, placement.device)
            fitted(spec, folder, nbytes, placement.dtype.itemsize, placement.device.type, allowed)


def known_device_type(spec: ModelSpec) -> str:
    """Return the type of the model's device as far as it is known without torch: "cpu", or "" for unknown."""
    return "cpu" if spec.device == "cpu" or (spec.device == "auto" and version("torch").endswith("+cpu")) else ""


def surely_fits(spec: ModelSpec, folder: Path, nbytes: int, config: Config) -> bool:
    """Return whether the model has a device here and fits into its memory in any number format that it may get.

    This needs no torch. If it returns False, only torch can tell.
    """
    if known_device_type(spec) != "cpu":
        return False
    allowed = config.memory if isinstance(config.memory, int) else main_memory_budget()
    return expected_bytes(spec, folder, nbytes, _STORED_BYTES.get(spec.dtype, 4)) <= allowed


def budget(config: Config, device: torch.device) -> int:
    """Return how much memory models may use on a device, in bytes."""
    from inference.pipelines.devices import memory_budget

    return config.memory if isinstance(config.memory, int) else memory_budget(device)


def fitted(
    spec: ModelSpec, folder: Path, nbytes: int, itemsize: int, device: str, allowed: int
) -> tuple[ModelSpec, int]:
    """Return the spec as the model is loaded, and its expected size; see `expected_bytes` for the arguments.

    A diffusion model that would take more than `allowed` bytes gets the first of `memory_steps` that fits. With
    `offload` on a GPU, its networks must fit into main memory too. Raise ModelUnavailable if none does.
    """

    def size_of(step: ModelSpec) -> int:
        return expected_bytes(step, folder, nbytes, itemsize, device)

    is_diffusion = bool(read_settings(spec, folder, INDEX))
    steps = memory_steps(spec, device) if is_diffusion else [spec]
    if is_diffusion and device == "cuda":
        if spec.offload == "auto" and undivided_network(spec, folder):
            steps = [step for step in steps if step.offload != "group"]
        steps = _steps_within_main_memory(spec, steps, folder, itemsize)
    step, size = first_that_fits(steps, size_of, allowed)
    if size > allowed:
        offered = steps if is_diffusion else _quantized(spec, folder, device)
        raise _too_large(spec, size_of(spec), *first_that_fits(offered, size_of, allowed), allowed)
    return step, size


def _steps_within_main_memory(
    spec: ModelSpec, steps: Sequence[ModelSpec], folder: Path, itemsize: int
) -> list[ModelSpec]:
    """Return those of `steps` whose networks can wait in main memory, where they do. Raise ModelUnavailable if none."""
    waiting = [network_bytes(step, folder, itemsize) if step.offload in ("model", "group") else 0 for step in steps]
    allowed = main_memory_budget()
    if min(waiting) > allowed:
        raise ModelUnavailable(
            "{name} needs about {size} of main memory with `offload`, and the bot may use {budget}. The bot's operator "
            "has to pick a smaller model, or to remove `offload` from it in config.yaml.",
            name=spec.name,
            size=size_text(min(waiting)),
            budget=size_text(allowed),
        )
    return [step for step, size in zip(steps, waiting, strict=True) if size <= allowed]


def expected_bytes(spec: ModelSpec, folder: Path, nbytes: int, itemsize: int, device: str = "") -> int:
    """Return the expected size in memory of a model with `nbytes` of files. Raise ModelUnavailable.

    `itemsize` is the size of a number in bytes. Without a device, the runtime is taken for the one that needs most.
    """
    if summary := gguf_summary(spec, folder):
        if compatible_family(spec, folder, device).runtime == "llama.cpp":
            return nbytes  # it computes with the weights as they are stored
        return _in_memory(spec, folder, summary.num_parameters, itemsize, device)
    if read_settings(spec, folder, INDEX):
        return diffusion_bytes(spec, folder, nbytes, itemsize, device)
    if growth := memory_growth(spec, folder, itemsize):
        return int(nbytes * growth)
    return _in_memory(spec, folder, nbytes // _stored_itemsize(spec, folder), itemsize, device)


def _in_memory(spec: ModelSpec, folder: Path, num_parameters: int, itemsize: int, device: str) -> int:
    """Return the size of these parameters in memory. With `quantize`, the embeddings keep their dtype.

    On a CPU the layer that gives the logits has a layout of its own, so that it can't share memory with the embeddings.
    """
    entries = read_settings(spec, folder, CONFIG)
    entries = {**entries, **(entries.get("text_config") or {})}
    width = next((entries[name] for name in _WIDTHS if isinstance(entries.get(name), int)), 0)
    embedding = min(width * (entries.get("vocab_size") or 0), num_parameters)
    is_tied = entries.get("tie_word_embeddings", True)
    copied = embedding if is_tied and device in ("", "cpu") and _writes(entries) else 0
    if spec.quantize == "none":
        return (num_parameters + copied) * itemsize
    unquantized = min(embedding * (1 if is_tied else 2), num_parameters)
    return int((unquantized + copied) * itemsize + (num_parameters - unquantized) * QUANTIZED_BYTES[spec.quantize])


def _writes(entries: dict[str, Any]) -> bool:
    """Return whether the config is that of a model that writes text, and so has a layer for logits."""
    architectures = entries.get("architectures") or []
    return any(str(name).endswith(("CausalLM", "LMHeadModel", "ForConditionalGeneration")) for name in architectures)


def _quantized(spec: ModelSpec, folder: Path, device: str) -> list[ModelSpec]:
    """Return the spec, and the ways to quantize its model, best first. A diffusion model has `memory_steps`."""
    found = [spec]
    for quantize in QUANTIZES[1:] if spec.quantize == "none" else ():
        with suppress(ModelUnavailable):
            compatible_family(replace(spec, quantize=quantize), folder, device)
            found.append(replace(spec, quantize=quantize))
    return found


def _too_large(spec: ModelSpec, size: int, offered: ModelSpec, least: int, allowed: int) -> ModelUnavailable:
    """Return the refusal of a model of `size` bytes, which takes `least` bytes as `offered`."""
    sizes = {"size": size_text(size), "least": size_text(least), "budget": size_text(allowed)}
    options = chosen_options(spec, offered)
    if not options or sizes["least"] == sizes["size"]:
        return ModelUnavailable(
            "{name} needs about {size} of memory, and the bot may use {budget}. The bot's operator has to pick a "
            "smaller model, or to raise `memory`.",
            name=spec.name,
            **sizes,
        )
    if least > allowed:
        return ModelUnavailable(
            "{name} needs about {size} of memory, or {least} with `{options}`, and the bot may use {budget}. The bot's "
            "operator has to pick a smaller model, or to raise `memory`.",
            name=spec.name,
            options=options,
            **sizes,
        )
    return ModelUnavailable(
        "{name} needs about {size} of memory, and the bot may use {budget}. With `{options}` it needs {least}: the "
        "bot's operator has to set that for it in config.yaml, to raise `memory`, or to pick a smaller model.",
        name=spec.name,
        options=options,
        **sizes,
    )


def _stored_itemsize(spec: ModelSpec, folder: Path) -> int:
    """Return the bytes per number in the model's files."""
    entries = read_settings(spec, folder, CONFIG)
    return _STORED_BYTES.get(str(entries.get("dtype") or entries.get("torch_dtype")), 4)
