"""Loading of a diffusers repository (`model_index.json` and one folder per component) directly in its dtype."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderTiny, DiffusionPipeline

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image.networks import networks_of, quantize_network
from inference.pipelines.text_to_image.offload import DiskOffload, MainMemoryOffload, NetworkOffload
from inference.pipelines.text_to_image.related_pipelines import pipeline_class
from inference.types import ModelSpec, Quantize
from inference.types.errors import ModelUnavailable


def read_pipeline(
    folder: Path,
    placement: Placement,
    pipeline: type[DiffusionPipeline] | None = None,
    *,
    quantize: Quantize = "none",
    offload: NetworkOffload | None = None,
    **networks: Any,
) -> Any:
    """Return the text-to-image pipeline of the repository in `folder`, or another kind of `pipeline`, on its device.

    With `quantize`, the networks that draw and large text encoders are small. With `offload`, networks are in the
    device's memory only while they work. `networks` take the place of components of these names, which are then not
    read.
    """
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    if isinstance(offload, MainMemoryOffload):
        placement = replace(placement, device=torch.device("cpu"))
    disk = offload if isinstance(offload, DiskOffload) else None
    pipe: Any = (pipeline or pipeline_class(folder)).from_pretrained(
        folder, dtype=placement.dtype, local_files_only=True, **networks_of(folder, placement, networks, quantize, disk)
    )
    for name, network in pipe.components.items():
        quantize_network(name, network, quantize)  # if it was read by diffusers
    pipe.to(placement.device)
    pipe.set_progress_bar_config(disable=True)
    if getattr(pipe, "vae", None) is not None:  # Kandinsky, Stable Cascade and others have another decoder
        _prepare_autoencoder(pipe, placement, disk)
    if offload:
        offload.attach(pipe)
    return pipe


def _prepare_autoencoder(pipe: Any, placement: Placement, disk: DiskOffload | None) -> None:
    prevent_overflow(pipe.vae)
    for_videos = any(parameter.ndim == 5 for parameter in pipe.vae.parameters())
    if placement.channels_last and not for_videos:
        for convolutional in (pipe.vae, getattr(pipe, "unet", pipe.vae)):
            if disk is None or convolutional not in disk:  # such a one has no weights now, and gets them in this format
                convolutional.to(memory_format=torch.channels_last)
    if hasattr(pipe.vae, "enable_slicing"):
        pipe.vae.enable_slicing()  # decoding takes the most memory, and nothing is gained by decoding several together
    keep_latents_in_float32(pipe)


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
