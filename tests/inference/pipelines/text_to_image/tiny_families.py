"""Tiny pipelines with random weights of the families that diffusers draws with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tests.inference.pipelines.text_to_image import tiny_transformer_pipelines as transformer_pipelines
from tests.inference.pipelines.text_to_image import tiny_unet_pipelines as unet_pipelines
from tests.inference.pipelines.text_to_image.tiny_parts import library

FAMILIES: dict[str, Callable[[], Any]] = {
    "Stable Diffusion 3": transformer_pipelines.stable_diffusion_3,
    "FLUX": transformer_pipelines.flux,
    "FLUX 2 Klein": transformer_pipelines.flux2_klein,
    "Chroma": transformer_pipelines.chroma,
    "Ovis": transformer_pipelines.ovis,
    "Bria": transformer_pipelines.bria,
    "PixArt alpha": transformer_pipelines.pixart,
    "PixArt sigma": lambda: transformer_pipelines.pixart(library.PixArtSigmaPipeline),
    "Sana": transformer_pipelines.sana,
    "AuraFlow": transformer_pipelines.auraflow,
    "CogView 3": transformer_pipelines.cogview3,
    "CogView 4": transformer_pipelines.cogview4,
    "Lumina": transformer_pipelines.lumina,
    "Lumina 2": transformer_pipelines.lumina2,
    "HiDream": transformer_pipelines.hidream,
    "HunyuanDiT": transformer_pipelines.hunyuan_dit,
    "Qwen-Image": transformer_pipelines.qwen_image,
    "Z-Image": transformer_pipelines.z_image,
    "Kandinsky 2.2": unet_pipelines.kandinsky22,
    "Kandinsky 3": unet_pipelines.kandinsky3,
    "DeepFloyd IF": unet_pipelines.deepfloyd,
}


def tiny_pipeline(name: str) -> Any:
    """Return the tiny pipeline of a family. Its weights are always the same."""
    torch.manual_seed(0)
    pipe = FAMILIES[name]()
    pipe.set_progress_bar_config(disable=True)
    return pipe
