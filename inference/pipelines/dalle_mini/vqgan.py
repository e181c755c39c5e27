"""The decoder of a VQGAN (Esser et al. 2020): 16 × 16 image tokens to an image.

It follows https://github.com/patil-suraj/vqgan-jax; modules have the names of its checkpoints.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention, silu

from inference.pipelines.dalle_mini.flax_checkpoint import FILE, read_flax
from inference.pipelines.devices import Placement

_UNUSED = ("encoder.", "quant_conv.")


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


def _conv(channels: int, out: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels, out, size, padding=size // 2)


class ResnetBlock(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(channels), _conv(channels, out)
        self.norm2, self.conv2 = _norm(out), _conv(out, out)
        self.nin_shortcut = _conv(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(silu(self.norm2(h)))


class AttentionBlock(nn.Module):
    """Self-attention over all positions of [images, channels, height, width]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.q, self.k, self.v = (_conv(channels, channels, 1) for _ in range(3))
        self.proj_out = _conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (projection(normed).flatten(2).transpose(1, 2) for projection in (self.q, self.k, self.v))
        attended = scaled_dot_product_attention(query, key, value)  # [pictures, places, channels]
        return x + self.proj_out(attended.transpose(1, 2).unflatten(2, x.shape[2:]))


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(interpolate(x, scale_factor=2.0, mode="nearest"))


class UpsamplingLevel(nn.Module):
    """The blocks of one resolution, and the upsampling to the next."""

    def __init__(self, channels: int, out: int, blocks: int, *, has_attention: bool, has_upsampling: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList([ResnetBlock(channels if i == 0 else out, out) for i in range(blocks)])
        self.attn = nn.ModuleList([AttentionBlock(out) if has_attention else nn.Identity() for _ in range(blocks)])
        self.upsample = Upsample(out) if has_upsampling else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        for block, attention in zip(self.block, self.attn, strict=True):
            x = attention(block(x))
        return self.upsample(x)


class VQGANDecoder(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        widths = [config["ch"] * multiplier for multiplier in config["ch_mult"]]
        top = widths[-1]
        self.conv_in = _conv(config["z_channels"], top)
        self.mid = nn.ModuleDict(
            {"block": _numbered(ResnetBlock(top, top), ResnetBlock(top, top)), "attn": _numbered(AttentionBlock(top))}
        )
        self.up = nn.ModuleList()
        for i, (width, in_channels) in enumerate(zip(widths, [*widths[1:], top], strict=True)):
            has_attention = config["resolution"] >> i in config["attn_resolutions"]
            blocks = config["num_res_blocks"] + 1
            level = UpsamplingLevel(in_channels, width, blocks, has_attention=has_attention, has_upsampling=i > 0)
            self.up.append(level)
        self.norm_out = _norm(widths[0])
        self.conv_out = _conv(widths[0], config["out_ch"])

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        blocks: Any = self.mid["block"]
        attentions: Any = self.mid["attn"]
        x = blocks["2"](attentions["1"](blocks["1"](x)))
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out(silu(self.norm_out(x)))


def _numbered(*modules: nn.Module) -> nn.ModuleDict:
    """Return modules numbered from 1, as in the checkpoint."""
    return nn.ModuleDict({str(i): module for i, module in enumerate(modules, start=1)})


class VQGAN(nn.Module):
    """From codes to pixels. The encoder's weights are not loaded."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.codes: int = config["n_embed"]
        self.upscale = 2 ** (len(config["ch_mult"]) - 1)
        """Pixels per code, along each side."""
        self.quantize = nn.ModuleDict({"embedding": nn.Embedding(config["n_embed"], config["embed_dim"])})
        self.post_quant_conv = _conv(config["embed_dim"], config["z_channels"], 1)
        self.decoder = VQGANDecoder(config)

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> Self:
        """Raise RuntimeError if weights are missing."""
        with torch.device("meta"):
            model = cls(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        memory_format = torch.channels_last if placement.channels_last else torch.contiguous_format
        weights = {
            name: tensor.contiguous(memory_format=memory_format) if tensor.ndim == 4 else tensor
            for name, tensor in read_flax(folder / FILE, lambda n: None if n.startswith(_UNUSED) else placement.dtype)
        }
        model.load_state_dict(weights, assign=True)
        return model.to(placement.device).eval()

    def forward(self, codes: Tensor) -> Tensor:
        """Return the pixels [images, 3, side, side], about 0 to 1, of square images with `codes` [images, codes]."""
        side = int(codes.shape[1] ** 0.5)
        latents = self.quantize["embedding"](codes).transpose(1, 2).unflatten(2, (side, side))
        return self.decoder(self.post_quant_conv(latents)).float()
