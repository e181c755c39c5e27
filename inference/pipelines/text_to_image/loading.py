"""Loading of a diffusers repository (`model_index.json` and one folder per component) directly in its dtype."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from accelerate import init_empty_weights
from diffusers import AutoencoderTiny, DiffusionPipeline
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from transformers import PreTrainedModel

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image.related_pipelines import pipeline_class
from inference.pipelines.weights import read_model, read_safetensors
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

_WEIGHTS = "diffusion_pytorch_model.safetensors"


def read_pipeline(
    folder: Path, placement: Placement, pipeline: type[DiffusionPipeline] | None = None, **networks: Any
) -> Any:
    """Return the text-to-image pipeline of the repository in `folder`, or another kind of `pipeline`, on its device.

    `networks` take the place of components of these names, which are then not read.
    """
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    pipe: Any = (pipeline or pipeline_class(folder)).from_pretrained(
        folder, dtype=placement.dtype, local_files_only=True, **_large_components(folder, placement, networks)
    )
    pipe.to(placement.device)
    pipe.set_progress_bar_config(disable=True)
    if getattr(pipe, "vae", None) is None:  # Kandinsky, Stable Cascade and others have another decoder
        return pipe
    prevent_overflow(pipe.vae)
    for_videos = any(parameter.ndim == 5 for parameter in pipe.vae.parameters())
    if placement.channels_last and not for_videos:
        for convolutional in (pipe.vae, getattr(pipe, "unet", pipe.vae)):
            convolutional.to(memory_format=torch.channels_last)
    if hasattr(pipe.vae, "enable_slicing"):
        pipe.vae.enable_slicing()  # decoding takes the most memory, and nothing is gained by decoding several together
    keep_latents_in_float32(pipe)
    return pipe


def read_preview_decoder(spec: ModelSpec, pipe: Any, placement: Placement) -> AutoencoderTiny:
    """Return the small decoder in the folder `companion` of the spec. Raise ModelUnavailable if it does not fit."""
    vae_config = getattr(getattr(pipe, "vae", None), "config", {})
    config: Any = AutoencoderTiny.load_config(spec.companion, local_files_only=True)
    is_tiny = config.get("_class_name") == AutoencoderTiny.__name__
    if not is_tiny or config.get("latent_channels") != vae_config.get("latent_channels"):
        raise ModelUnavailable(
            "{name} can't show its previews with {decoder}: that is no AutoencoderTiny for its kind of latents. The "
            "bot's operator has to name another `preview_decoder`, or none.",
            name=spec.name,
            decoder=spec.preview_decoder,
        )
    decoder: Any = AutoencoderTiny.from_pretrained(spec.companion, torch_dtype=placement.dtype, local_files_only=True)
    decoder.encoder = None  # only the decoder is needed
    return decoder.to(placement.device).eval()


def models_of(pipe: DiffusionPipeline) -> list[Any]:
    return [component for component in pipe.components.values() if isinstance(component, torch.nn.Module)]


def prevent_overflow(vae: Any) -> None:
    """Keep an autoencoder in float32 if its numbers leave the range of float16, as its config says.

    Some of diffusers' pipelines convert it for each call and back again, and others do not convert it. bfloat16 has the
    range of float32.
    """
    if vae.dtype == torch.float16 and getattr(vae.config, "force_upcast", False):
        vae.to(torch.float32)
        vae.register_to_config(force_upcast=False)  # it is done
        _cast_inputs(vae.encoder.conv_in, getattr(vae, "post_quant_conv", None), vae.decoder.conv_in)


def keep_latents_in_float32(pipe: Any) -> None:
    """Keep latents in float32 between steps, while the networks compute in their own dtype.

    Every step adds a small difference to the latents. In bfloat16, three decimal digits would have to hold both. With
    float32 latents the same seed also starts from the same noise in every dtype.
    """
    if not hasattr(pipe, "unet"):
        return

    def cast_sample(unet: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        dtype = unet.dtype
        condition = options.get("timestep_cond")
        if condition is not None:
            options["timestep_cond"] = condition.to(dtype)
        return (args[0].to(dtype), *args[1:]), options

    def upcast_output(_: Any, __: Any, output: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (output[0].float(), *output[1:])

    pipe.unet.register_forward_pre_hook(cast_sample, with_kwargs=True)
    pipe.unet.register_forward_hook(upcast_output)
    _cast_inputs(pipe.vae.post_quant_conv, getattr(pipe.vae.decoder, "conv_in", None))


def _cast_inputs(*layers: Any) -> None:
    """Make layers take input of any dtype."""

    def cast_input(module: Any, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (args[0].to(module.weight.dtype), *args[1:])

    for layer in layers:
        if layer is not None:
            layer.register_forward_pre_hook(cast_input)


def _large_components(folder: Path, placement: Placement, networks: Mapping[str, Any]) -> dict[str, Any]:
    """Return `networks` and the largest other components, read without the second copy that diffusers maps."""
    index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    components = {**networks}
    for name, entry in index.items():
        kind = _network_class(*entry) if isinstance(entry, list) and len(entry) == 2 else None
        if kind is None or name in networks:
            continue
        if issubclass(kind, PreTrainedModel) and (folder / name / "model.safetensors").exists():
            components[name] = read_model(kind, folder / name, placement)
        elif name in ("unet", "transformer") and (folder / name / _WEIGHTS).exists():
            components[name] = _read_denoiser(kind, folder / name, placement)
    return components


def _network_class(library: str | None, name: str | None) -> Any:
    """Return the class named in `model_index.json` if it is a network, else None."""
    if name == StableDiffusionSafetyChecker.__name__:
        return StableDiffusionSafetyChecker
    module = {"diffusers": diffusers, "transformers": transformers}.get(library or "")
    cls = getattr(module, name or "", None)
    return cls if isinstance(cls, type) and issubclass(cls, torch.nn.Module) else None


def _read_denoiser(kind: Any, folder: Path, placement: Placement) -> Any:
    with init_empty_weights():
        model = kind.from_config(kind.load_config(folder, local_files_only=True))
    weights = {
        # Converted here: converting the finished model would leave unusable gaps in the heap.
        name: tensor.contiguous(memory_format=_memory_format(tensor, placement))
        for name, tensor in read_safetensors(folder / _WEIGHTS, placement.dtype)
    }
    model.load_state_dict(weights, assign=True)
    return model.to(placement.device).eval()


def _memory_format(tensor: torch.Tensor, placement: Placement) -> torch.memory_format:
    """Return the memory format of a tensor. Only convolution kernels [out, in, height, width] have a choice."""
    return torch.channels_last if placement.channels_last and tensor.ndim == 4 else torch.contiguous_format
