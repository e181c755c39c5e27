"""Reading of the networks of a diffusers repository, one after another, directly in their dtype or number format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from accelerate import init_empty_weights
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from transformers import PreTrainedModel

from inference.pipelines.devices import Placement, release_memory
from inference.pipelines.diffusion_memory import DENOISERS, can_be_offloaded, is_in_block, is_quantizable
from inference.pipelines.linear_layers import MAX_REPLACED_BYTES, replace_linear_layers
from inference.pipelines.quantization import QuantizedLayer, quantized_layer
from inference.pipelines.text_to_image.offload import DiskOffload
from inference.pipelines.weights import files_of_weights, read_model, read_safetensors
from inference.types import Quantize

_WEIGHTS = "diffusion_pytorch_model.safetensors"


def networks_of(
    folder: Path,
    placement: Placement,
    given: Mapping[str, Any],
    quantize: Quantize = "none",
    disk: DiskOffload | None = None,
) -> dict[str, Any]:
    """Return the large networks of the repository in `folder`, without the second copy that diffusers maps.

    Those that are `given` are returned as they are. Text encoders come first: they are in memory in ordinary numbers
    before they are quantized, and the networks that draw are not. With `disk`, each one leaves the memory again, until
    it works.
    """
    networks = {**given}
    for name, read in _readers(folder, placement, quantize).items():
        if name in given:
            continue
        networks[name] = read()
        if disk and can_be_offloaded(name):
            disk.add(networks[name], read)
    return networks


def _readers(folder: Path, placement: Placement, quantize: Quantize) -> dict[str, Callable[[], Any]]:
    """Return what reads the large networks of the repository by name, text encoders first."""
    index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    readers: dict[str, Callable[[], Any]] = {}
    for name in sorted(index, key=lambda name: (name in DENOISERS, name)):
        entry = index[name]
        kind = _network_class(*entry) if isinstance(entry, list) and len(entry) == 2 else None
        if kind is None:
            continue
        if issubclass(kind, PreTrainedModel) and files_of_weights(folder / name / "model.safetensors"):
            readers[name] = partial(_read_encoder, name, kind, folder / name, placement, quantize)
        files = files_of_weights(folder / name / _WEIGHTS) if name in DENOISERS else []
        if files and not getattr(kind, "_keep_in_fp32_modules", None):  # diffusers reads a network of several dtypes
            readers[name] = partial(_read_denoiser, kind, folder / name, files, placement, quantize)
    return readers


def quantize_network(name: str, network: Any, quantize: Quantize) -> None:
    """Make the linear layers of the component `name` small, if it is one of those for which that is done."""
    if quantize == "none" or not hasattr(network, "parameters"):  # a tokenizer or the like
        return
    if is_quantizable(name, sum(parameter.numel() for parameter in network.parameters())):
        replace_linear_layers(
            network,
            partial(quantized_layer, quantize=quantize),
            keep=lambda layer_name, _: not is_in_block(layer_name),
            sensitive=isinstance(network, PreTrainedModel),
        )
        release_memory(network.device)


def _network_class(library: str | None, name: str | None) -> Any:
    """Return the class named in `model_index.json` if it is a network, else None."""
    if name == StableDiffusionSafetyChecker.__name__:
        return StableDiffusionSafetyChecker
    module = {"diffusers": diffusers, "transformers": transformers}.get(library or "")
    cls = getattr(module, name or "", None)
    return cls if isinstance(cls, type) and issubclass(cls, torch.nn.Module) else None


def _read_encoder(name: str, kind: Any, folder: Path, placement: Placement, quantize: Quantize) -> Any:
    encoder = read_model(kind, folder, placement)
    quantize_network(name, encoder, quantize)
    return encoder


def _read_denoiser(kind: Any, folder: Path, files: list[Path], placement: Placement, quantize: Quantize) -> Any:
    """Return the network that draws. With `quantize` one layer at a time is in memory in ordinary numbers."""
    with init_empty_weights():
        model = kind.from_config(kind.load_config(folder, local_files_only=True))
    weights: dict[str, torch.Tensor] = {}
    small: dict[str, QuantizedLayer] = {}
    replaced = 0
    for name, tensor in (each for file in files for each in read_safetensors(file, placement.dtype)):
        layer, _, kind_of_tensor = name.rpartition(".")
        if quantize != "none" and kind_of_tensor == "weight" and _becomes_small(model, layer):
            small[layer] = quantized_layer(tensor, None, quantize)
            model.set_submodule(layer, small[layer])
            replaced += tensor.nbytes
        else:
            # Converted here: converting the finished model would leave unusable gaps in the heap.
            weights[name] = tensor.to(memory_format=_memory_format(tensor, placement))
            replaced += 0 if weights[name] is tensor else tensor.nbytes
        if replaced > MAX_REPLACED_BYTES:
            del tensor
            release_memory(placement.device)
            replaced = 0
    for name, layer in small.items():
        layer.bias = weights.pop(f"{name}.bias", None)
    own = {f"{name}.{tensor}": value for name, layer in small.items() for tensor, value in layer.state_dict().items()}
    model.load_state_dict({**weights, **own}, assign=True)
    release_memory(placement.device)
    return model.to(placement.device).eval()


def _becomes_small(model: Any, name: str) -> bool:
    return is_in_block(name) and type(model.get_submodule(name)) is torch.nn.Linear


def _memory_format(tensor: torch.Tensor, placement: Placement) -> torch.memory_format:
    """Return the memory format of a tensor. Only convolution kernels [out, in, height, width] have a choice."""
    return torch.channels_last if placement.channels_last and tensor.ndim == 4 else torch.contiguous_format
