"""Stable Diffusion and Stable Diffusion XL with OpenVINO: it computes the UNet and the autoencoder.

The text encoders stay in torch: they take less than a hundredth of a picture's time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput

from inference.pipelines.devices import Placement
from inference.pipelines.openvino_export import Export, read_networks
from inference.pipelines.openvino_network import OpenVinoNetwork
from inference.pipelines.pipeline import RuntimeUnsuitable
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.types import ModelSpec
from inference.types.errors import Phrase

_NETWORKS = ("unet", "vae_encoder", "vae_decoder")
_NUM_TIME_IDS = 6


def read_openvino_pipeline(spec: ModelSpec, folder: Path, placement: Placement) -> Any:
    """Return the text-to-image pipeline in `folder`, with the UNet and the autoencoder computed by OpenVINO.

    Raise RuntimeUnsuitable if OpenVINO can't compute them.
    """
    if spec.file:
        raise RuntimeUnsuitable(Phrase("its weights are in a file of their own"))
    _require_known_networks(folder)

    def exports() -> Iterator[tuple[str, Export]]:
        yield "unet", _unet_export(_read(UNet2DConditionModel, folder / "unet"))
        yield from _vae_exports(_read(AutoencoderKL, folder / "vae"))

    networks = read_networks(spec, folder, placement, _NETWORKS, exports)
    unet = _without_weights(UNet2DConditionModel, folder / "unet")
    vae = _without_weights(AutoencoderKL, folder / "vae")
    _compute_unet_with(unet, networks["unet"])
    vae.encoder, vae.decoder = networks["vae_encoder"], networks["vae_decoder"]
    return read_pipeline(folder, placement, unet=unet, vae=vae)


def _read(kind: Any, folder: Path) -> Any:
    """Return a network as diffusers reads it: the weights stay in the file, which is mapped into memory."""
    return kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()


def _require_known_networks(folder: Path) -> None:
    """Raise RuntimeUnsuitable unless the pipeline has the networks that this module knows."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    classes = [(index.get(name) or ["", ""])[1] for name in ("unet", "vae")]
    if classes != [UNet2DConditionModel.__name__, AutoencoderKL.__name__]:
        raise RuntimeUnsuitable(Phrase("it computes Stable Diffusion and Stable Diffusion XL only"))
    config: Any = UNet2DConditionModel.load_config(folder / "unet", local_files_only=True)
    if config.get("addition_embed_type") not in (None, "text_time") or config.get("class_embed_type"):
        raise RuntimeUnsuitable(Phrase("it computes Stable Diffusion and Stable Diffusion XL only"))


def _without_weights(kind: Any, folder: Path) -> Any:
    """Return a network of diffusers with its config alone. Its dtype is float32, as that of OpenVINO's inputs."""
    with init_empty_weights():
        network = kind.from_config(kind.load_config(folder, local_files_only=True)).eval()
    num_parameters = network.num_parameters()
    in_features = network.config.get("projection_class_embeddings_input_dim")
    for name, _ in list(network.named_children()):
        delattr(network, name)
    network.num_parameters = lambda: num_parameters
    network.register_buffer("placeholder", torch.empty(0), persistent=False)  # networks have the dtype of their weights
    if kind is AutoencoderKL:  # these are parts of the encoder and the decoder
        network.quant_conv = network.post_quant_conv = None
        network.register_to_config(use_quant_conv=False, use_post_quant_conv=False)
    if in_features:  # diffusers' pipeline for Stable Diffusion XL looks at it
        network.add_embedding = SimpleNamespace(linear_1=SimpleNamespace(in_features=in_features))
    return network


def _compute_unet_with(unet: Any, network: OpenVinoNetwork) -> None:
    def forward(
        sample: torch.Tensor,
        timestep: torch.Tensor | float,
        encoder_hidden_states: torch.Tensor,
        timestep_cond: torch.Tensor | None = None,
        added_cond_kwargs: Mapping[str, torch.Tensor] | None = None,
        return_dict: bool = True,
        **others: Any,
    ) -> Any:
        assert not any(value is not None for value in others.values()), f"not exported: {others.keys()}"
        optional = {"timestep_cond": timestep_cond, **(added_cond_kwargs or {})}
        inputs = {
            "sample": sample,
            "timestep": torch.as_tensor(timestep, dtype=torch.float32),
            "encoder_hidden_states": encoder_hidden_states.float(),
            **{name: value.float() for name, value in optional.items() if value is not None},
        }
        [output] = network.compute(inputs)
        return UNet2DConditionOutput(sample=output) if return_dict else (output,)

    unet.network = network
    unet.forward = forward


class _UNet(torch.nn.Module):
    """A UNet whose optional inputs have names of their own, as they are exported."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        timestep_cond: torch.Tensor | None = None,
        text_embeds: torch.Tensor | None = None,
        time_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        added = None if text_embeds is None else {"text_embeds": text_embeds, "time_ids": time_ids}
        options: Any = {"timestep_cond": timestep_cond, "added_cond_kwargs": added, "return_dict": False}
        return self.unet(sample, timestep, encoder_hidden_states, **options)[0]


class _Encoder(torch.nn.Module):
    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.encoder, self.quant_conv = vae.encoder, vae.quant_conv or torch.nn.Identity()

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        return self.quant_conv(self.encoder(sample))


class _Decoder(torch.nn.Module):
    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.decoder, self.post_quant_conv = vae.decoder, vae.post_quant_conv or torch.nn.Identity()

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(latents))


def _unet_export(unet: Any) -> Export:
    """Return what to export. The sides are odd while tracing, since diffusers takes another way for even ones."""
    return Export(_UNet(unet), _unet_inputs(unet.config, 2, 17, 25, 7), _unet_inputs(unet.config, 1, 16, 11, 5))


def _unet_inputs(config: Any, count: int, height: int, width: int, num_tokens: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {
        "sample": (count, config.in_channels, height, width),
        "encoder_hidden_states": (count, num_tokens, config.cross_attention_dim),
    }
    if config.time_cond_proj_dim is not None:
        shapes["timestep_cond"] = (count, config.time_cond_proj_dim)
    if config.addition_embed_type == "text_time":
        time_width = _NUM_TIME_IDS * config.addition_time_embed_dim
        shapes["text_embeds"] = (count, config.projection_class_embeddings_input_dim - time_width)
        shapes["time_ids"] = (count, _NUM_TIME_IDS)
    inputs = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return {"sample": inputs.pop("sample"), "timestep": torch.tensor(float(9 * width)), **inputs}


def _vae_exports(vae: Any) -> Iterator[tuple[str, Export]]:
    generator = torch.Generator().manual_seed(0)

    def sample(name: str, channels: int, height: int, width: int) -> dict[str, torch.Tensor]:
        return {name: torch.randn((1, channels, height, width), generator=generator)}

    pictures, latents = vae.config.in_channels, vae.config.latent_channels
    yield "vae_encoder", Export(_Encoder(vae), sample("sample", pictures, 64, 96), sample("sample", pictures, 104, 72))
    yield "vae_decoder", Export(_Decoder(vae), sample("latents", latents, 8, 12), sample("latents", latents, 13, 9))
