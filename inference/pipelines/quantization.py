"""Linear layers with weights in 8 or 4 bits, for models that the operator wants smaller (`quantize` in config.yaml).

No package is needed for it. Each output channel has one scale. With 4 bits, each group of 32 weights has besides it a
step and an offset in whole numbers, so that both formats of integers unpack to 8-bit integers. `fp8` are 8-bit floats
(E4M3, as in https://arxiv.org/abs/2209.05433), which always become ordinary numbers for the time of the product.

On CPUs the inputs of a layer become integers too, with one scale for each row, and the product is one of integers
(oneDNN's, which uses AMX or VNNI). Inputs have a few very large numbers, for which 8 bits are too coarse: so they get
15, as two rows of 8 bits each. Sums of integers are exact, so a row does not depend on the others. On other devices,
and on CPUs without AMX and VNNI, where such products may overflow, the weights become ordinary numbers for the time of
the product, which saves memory and no time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from torch.nn.functional import linear, pad
from transformers import PreTrainedModel

from inference.pipelines.linear_layers import replace_linear_layers
from inference.types import Quantize

Bits = Literal[8, 4]

_int_mm: Any = torch.ops.aten._int_mm

_GROUP = 32
"""Weights that share a step and an offset, with 4 bits."""

_BLOCK_CHANNELS = 8 * _GROUP * 2
"""Output channels that are converted at a time: a multiple of two groups."""

_ROWS = 512
"""Rows of inputs that become integers at a time: those of a large picture would take more memory than the weights."""


class QuantizedLinear(torch.nn.Module):
    """A linear layer with weights [out, in] and an optional bias [out]. Keeps no reference to the original layer."""

    codes: torch.Tensor
    groups: torch.Tensor
    scales: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, bits: Bits) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self._bits = bits
        codes, groups, scales = _eight_bits(weight) if bits == 8 else _four_bits(weight)
        self.register_buffer("codes", codes)
        self.register_buffer("groups", groups)
        self.register_buffer("scales", scales)
        self.register_buffer("bias", None if bias is None else bias.detach().clone())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Compute the layer's output: […, in] → […, out]."""
        weight = self.integers()
        if input.device.type != "cpu" or not _has_integer_products():
            return linear(input, weight.to(input.dtype) * self.scales[:, None].to(input.dtype), self.bias)
        rows = input.reshape(-1, self.in_features)
        blocks = [self._product(block, weight).to(input.dtype) for block in rows.split(_ROWS)]
        return (blocks[0] if len(blocks) == 1 else torch.cat(blocks)).view(*input.shape[:-1], -1)

    def _product(self, rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the product of rows [rows, in] and integer weights, by products of integers."""
        rows = rows.float()
        row_scales = (rows.abs().amax(dim=1, keepdim=True) / (127 * 128)).clamp(min=1e-30)
        integers = (rows / row_scales).round_()
        high = (integers / 128).round_()
        low = integers.sub_(high, alpha=128)
        products = _int_mm(torch.cat([high, low]).to(torch.int8), weight.t()).float()
        high_products, low_products = products.chunk(2)
        output = high_products.mul_(128).add_(low_products).mul_(row_scales).mul_(self.scales)
        return output if self.bias is None else output.add_(self.bias)

    def integers(self) -> torch.Tensor:
        """Return the weights as 8-bit integers [out, in], in units of `scales`."""
        if self._bits == 8:
            return self.codes
        half = len(self.codes)
        unpacked = torch.empty(2 * half, self.codes.shape[1], dtype=torch.int8, device=self.codes.device)
        torch.bitwise_and(self.codes, 15, out=unpacked[:half]).sub_(8)
        torch.bitwise_right_shift(self.codes, 4, out=unpacked[half:])
        steps, offsets = self.groups[:, :, None]
        unpacked.view(len(steps), _GROUP, -1).mul_(steps).add_(offsets)  # what overflows in between is right again
        return unpacked[: len(self.scales)]


class Float8Linear(torch.nn.Module):
    """A linear layer with weights [out, in] in 8-bit floats, a scale for each output channel, and an optional bias."""

    codes: torch.Tensor
    scales: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        codes, scales = _block_by_block(weight, _floats_and_scales)
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)
        self.register_buffer("bias", None if bias is None else bias.detach().clone())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Compute the layer's output: […, in] → […, out]."""
        return linear(input, self.codes.to(input.dtype) * self.scales[:, None].to(input.dtype), self.bias)


QuantizedLayer = QuantizedLinear | Float8Linear


def _eight_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the codes [out, in], no groups, and the scales [out]."""
    codes, scales = _block_by_block(weight, _codes_and_scales)
    return codes, torch.empty(0, dtype=torch.int8), scales


def _floats_and_scales(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scales = (weight.abs().amax(dim=1) / torch.finfo(torch.float8_e4m3fn).max).clamp(min=1e-12)
    return (weight / scales[:, None]).to(torch.float8_e4m3fn), scales


def _codes_and_scales(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    units, scales = _in_units(weight)
    return units.round_().to(torch.int8), scales


def _four_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the codes [out / 2, in], two in a byte, the steps and offsets [2, groups, in], and the scales [out].

    A group is the weights of 32 output channels for one input, an order that CPUs unpack fast. Its step and offset are
    whole numbers in the unit of 8-bit weights. The first half of the channels is in the low bits, with 8 added; the
    second half is in the high bits. Both are filled up to whole groups.
    """
    codes, steps, offsets, scales = _block_by_block(weight, _grouped_codes)
    low, high = codes.chunk(2)
    return (low + 8) | (high << 4), torch.stack([steps, offsets]), scales


def _grouped_codes(weight: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return codes from -8 to 7, filled up to two whole groups, and the steps, offsets and scales."""
    units, scales = _in_units(weight)
    units = pad(units, (0, 0, 0, -len(weight) % (2 * _GROUP)))
    groups = units.view(-1, _GROUP, weight.shape[1])
    lowest, highest = groups.aminmax(dim=1)
    steps = ((highest - lowest) / 15).ceil_().clamp_(min=1)
    offsets = torch.minimum(lowest.round(), 127 - 15 * steps) + 8 * steps
    codes = ((groups - offsets[:, None]) / steps[:, None]).round_().clamp_(-8, 7).view_as(units).to(torch.int8)
    return codes, *(each.to(torch.int16).to(torch.int8) for each in (steps, offsets)), scales


def _in_units(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weights in units of the scales of their channels, from -127 to 127, and the scales."""
    scales = (weight.abs().amax(dim=1) / 127).clamp(min=1e-12)
    return weight / scales[:, None], scales


def _block_by_block(
    weight: torch.Tensor, convert: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]
) -> tuple[torch.Tensor, ...]:
    """Return what `convert` makes of the weights in float32, block by block: so they stay in the CPU's cache."""
    converted = [convert(block.float()) for block in weight.split(_BLOCK_CHANNELS)]
    return tuple(torch.cat(parts) for parts in zip(*converted, strict=True))


@functools.cache
def _has_integer_products() -> bool:
    return any(torch.cpu.get_capabilities().get(name, False) for name in ("amx_int8", "avx512_vnni"))


def quantized_layer(weight: torch.Tensor, bias: torch.Tensor | None, quantize: Quantize) -> QuantizedLayer:
    """Return a layer of weights [out, in] and an optional bias [out] in the number format `quantize`, but "none"."""
    if quantize == "fp8":
        return Float8Linear(weight, bias)
    return QuantizedLinear(weight, bias, 8 if quantize == "int8" else 4)


def is_quantized(network: torch.nn.Module | None) -> bool:
    """Return whether a network has such layers."""
    return network is not None and any(isinstance(layer, QuantizedLayer) for layer in network.modules())


@torch.inference_mode()
def quantize_linear_layers(model: PreTrainedModel, quantize: Quantize) -> None:
    """Replace the model's linear layers, except the one that gives the logits. Do nothing for "none"."""
    if quantize != "none":
        replace_linear_layers(
            model,
            partial(quantized_layer, quantize=quantize),
            keep=lambda _, layer: layer is model.get_output_embeddings(),
        )
