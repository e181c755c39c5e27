"""Checkpoints in 8-bit floating-point numbers, which become ordinary numbers when they are read.

Two kinds are common: `fp8` (DeepSeek, Qwen and others: a scale for each block of a weight), and the float formats of
compressed-tensors (a scale for each weight or each of its rows). Ordinary numbers run on every device. The scales of
inputs, which such files may have too, are left out: inputs stay exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

_SCALES = (".weight_scale_inv", ".weight_scale")
_LEFT_OUT = (".input_scale", ".activation_scale", ".output_scale", ".k_scale", ".v_scale", ".q_scale")

FLOAT8_FORMATS = frozenset({"fp8", "compressed-tensors (float-quantized)", "compressed-tensors (naive-quantized)"})
"""The names of these formats, as in `number_formats.py`."""


def is_scale(name: str) -> bool:
    """Return whether the tensor of this name is a scale of 8-bit numbers, which needs more digits than a weight."""
    return name.endswith(_SCALES)


def apply_scales(tensors: Mapping[str, torch.Tensor], quantization: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return the weights multiplied by their scales, in place, and without the scales.

    `quantization` is the part of the model's config that describes them.
    """
    kept = {name: tensor for name, tensor in tensors.items() if not name.endswith((*_SCALES, *_LEFT_OUT))}
    block = quantization.get("weight_block_size")
    for name, scale in tensors.items():
        if is_scale(name):
            weight = kept[name.rsplit(".", 1)[0] + ".weight"]
            weight.copy_(weight.float() * _spread(scale.float(), weight.shape, block))
    return kept


def _spread(scale: torch.Tensor, shape: torch.Size, block: list[int] | None) -> torch.Tensor:
    """Return the scale in a shape that can be multiplied with a weight [out, in]."""
    if scale.numel() == 1:
        return scale.reshape(())
    if scale.numel() == shape[0]:
        return scale.reshape(-1, 1)
    if not block:
        raise ValueError("the config does not tell the size of the blocks that share a scale")
    return scale.repeat_interleave(block[0], 0)[: shape[0]].repeat_interleave(block[1], 1)[:, : shape[1]]
