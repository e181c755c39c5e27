"""The picture of 16 × 16 image tokens: the decoding half of a VQGAN (Esser et al. 2020).

Follows https://github.com/patil-suraj/vqgan-jax; the modules are named as in its checkpoints.
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
    """Every place of [pictures, channels, height, width] looks at every other one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.q, self.k, self.v = (_conv(channels, channels, 1) for _ in range(3))
        self.proj_out = _conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (part(normed).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))
        found = scaled_dot_product_attention(query, key, value)  # [pictures, places, channels]
        return x + self.proj_out(found.transpose(1, 2).unflatten(2, x.shape[2:]))


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(interpolate(x, scale_factor=2.0, mode="nearest"))


class UpsamplingLevel(nn.Module):
    """The blocks of one resolution, and the way to the next."""

    def __init__(self, channels: int, out: int, blocks: int, *, attends: bool, grows: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList([ResnetBlock(channels if i == 0 else out, out) for i in range(blocks)])
        self.attn = nn.ModuleList([AttentionBlock(out) if attends else nn.Identity() for _ in range(blocks)])
        self.upsample = Upsample(out) if grows else nn.Identity()

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
        for i, (width, before) in enumerate(zip(widths, [*widths[1:], top], strict=True)):
            attends = config["resolution"] >> i in config["attn_resolutions"]
            self.up.append(UpsamplingLevel(before, width, config["num_res_blocks"] + 1, attends=attends, grows=i > 0))
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
    """From 1, as in the checkpoint."""
    return nn.ModuleDict({str(i): module for i, module in enumerate(modules, start=1)})


class VQGAN(nn.Module):
    """From codes to pixels. Loads nothing of the encoding half."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.codes: int = config["n_embed"]
        self.growth = 2 ** (len(config["ch_mult"]) - 1)
        """Pixels a code, along each side."""
        self.quantize = nn.ModuleDict({"embedding": nn.Embedding(config["n_embed"], config["embed_dim"])})
        self.post_quant_conv = _conv(config["embed_dim"], config["z_channels"], 1)
        self.decoder = VQGANDecoder(config)

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> Self:
        """Raises RuntimeError if weights are missing."""
        with torch.device("meta"):
            model = cls(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        order = torch.channels_last if placement.channels_last else torch.contiguous_format
        weights = {
            name: tensor.contiguous(memory_format=order) if tensor.ndim == 4 else tensor
            for name, tensor in read_flax(folder / FILE, lambda n: None if n.startswith(_UNUSED) else placement.dtype)
        }
        model.load_state_dict(weights, assign=True)
        return model.to(placement.device).eval()

    def forward(self, codes: Tensor) -> Tensor:
        """The pixels [pictures, 3, side, side], about 0 to 1, of square pictures given as `codes` [pictures, codes]."""
        side = int(codes.shape[1] ** 0.5)
        latents = self.quantize["embedding"](codes).transpose(1, 2).unflatten(2, (side, side))
        return self.decoder(self.post_quant_conv(latents)).float()
