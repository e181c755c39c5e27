"""The tiny model of Stable Diffusion as a checkpoint in one file, with the names of the original code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
# For two levels with one layer each, as the tiny UNet has.
_UNET = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
    "down_blocks.1.resnets.0": "input_blocks.3.0",
    "down_blocks.1.attentions.0": "input_blocks.3.1",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "up_blocks.0.resnets.0": "output_blocks.0.0",
    "up_blocks.0.attentions.0": "output_blocks.0.1",
    "up_blocks.0.resnets.1": "output_blocks.1.0",
    "up_blocks.0.attentions.1": "output_blocks.1.1",
    "up_blocks.0.upsamplers.0.conv": "output_blocks.1.2.conv",
    "up_blocks.1.resnets.0": "output_blocks.2.0",
    "up_blocks.1.resnets.1": "output_blocks.3.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_VAE = (
    (r"down_blocks\.(\d)\.resnets", r"down.\1.block"),
    (r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample"),
    (r"up_blocks\.0\.resnets", "up.1.block"),
    (r"up_blocks\.1\.resnets", "up.0.block"),
    (r"up_blocks\.0\.upsamplers\.0", "up.1.upsample"),
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"group_norm", "norm"),
    (r"to_([qkv])", r"\1"),
    (r"to_out\.0", "proj_out"),
    (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
)


def save_checkpoint(folder: Path, file: Path) -> None:
    """Write the weights of the diffusers repository in `folder` to one file, and delete them in the folder."""
    tensors: dict[str, Any] = {}
    for part, prefix, rename in (
        ("unet", "model.diffusion_model.", _unet_name),
        ("vae", "first_stage_model.", _vae_name),
        ("text_encoder", "cond_stage_model.transformer.", _text_name),
    ):
        (weights,) = (folder / part).glob("*.safetensors")
        tensors |= {prefix + rename(name): tensor for name, tensor in load_file(weights).items()}
        weights.unlink()
    save_file(tensors, file)


def _unet_name(name: str) -> str:
    start = max((each for each in _UNET if name.startswith(f"{each}.")), key=len)
    rest = name[len(start) + 1 :]
    if "resnets" in start:
        layer, _, kind = rest.rpartition(".")
        rest = f"{_RESNET[layer]}.{kind}"
    return f"{_UNET[start]}.{rest}"


def _vae_name(name: str) -> str:
    for pattern, original in _VAE:
        name = re.sub(pattern, original, name)
    return name


def _text_name(name: str) -> str:
    return name if name.startswith("text_model.") else f"text_model.{name}"
