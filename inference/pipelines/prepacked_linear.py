"""Linear layers on CPUs with weights prepacked in the layout that the kernels read.

oneDNN needs weights in blocks. If they are stored row by row, it converts them at every call, and for the few rows of
a decoding step this takes longer than the product itself. In float32 torch uses MKL, which is slow with a few rows on
some CPUs, and whose rows depend on their number. Only the layout changes, not the numbers.

torch's compiler does the same with frozen weights (`mkldnn._linear_pointwise`), but it needs a C++ compiler at run
time. `torch.utils.mkldnn`, the public way, converts every input and output too. So these operators are used without
the compiler, and where they are missing the layers stay as they are.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.nn.functional import linear
from transformers import PreTrainedModel

from inference.pipelines.linear_layers import replace_linear_layers

_ROWS = 8
"""The number of rows that the layout is optimized for: those of a decoding step. Any number works."""

_ops: Any = torch.ops.mkldnn


class PrepackedLinear(torch.nn.Module):
    """A linear layer with weights [out, in] and an optional bias [out]. Keeps no reference to the original weights."""

    bias: torch.Tensor | None
    unpacked: torch.Tensor

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.external_bytes = weight.nbytes
        """The size of the packed weights, which are no parameter of the module; see `weight_bytes`."""
        self._packed: torch.Tensor | None = _ops._reorder_linear_weight(weight.contiguous(), _ROWS)
        self.register_buffer("unpacked", None)
        self.register_buffer("bias", bias)
        self._block_rows = self._max_blocked_rows = 0

    def compute_in_blocks(self, num_rows: int, up_to: int) -> None:
        """Compute inputs of at most `up_to` rows in blocks of `num_rows`, where kernels for more rows differ."""
        self._block_rows, self._max_blocked_rows = num_rows, up_to

    @property
    def weight(self) -> torch.Tensor:
        """The weights in their usual layout, for models that read or multiply them by themselves (Mamba).

        From the first such read on, the layer keeps them so.
        """
        if self._packed is not None:
            self.unpacked, self._packed, self.external_bytes = self._packed.to_dense(), None, 0
        return self.unpacked

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Compute the layer's output: […, in] → […, out]."""
        if self._block_rows < input.numel() // self.in_features <= self._max_blocked_rows:
            blocks = input.reshape(-1, self.in_features).split(self._block_rows)
            return torch.cat([self._product(block) for block in blocks]).view(*input.shape[:-1], -1)
        return self._product(input)

    def _product(self, input: torch.Tensor) -> torch.Tensor:
        if self._packed is None:
            return linear(input, self.unpacked, self.bias)
        return _ops._linear_pointwise(input, self._packed, self.bias, "none", [], "")


@torch.inference_mode()
def prepack_linear_layers(model: PreTrainedModel) -> None:
    """Replace the model's linear layers, if this CPU has kernels for its dtype."""
    if model.device.type == "cpu" and _supports(model.dtype):
        replace_linear_layers(model, PrepackedLinear)


@functools.cache
def _supports(dtype: torch.dtype) -> bool:
    """Return whether torch has the operators, fast ones for this dtype, and whether they compute what they should."""
    if not all(hasattr(_ops, name) for name in ("_linear_pointwise", "_reorder_linear_weight")):
        return False
    if dtype != torch.float32 and not (dtype == torch.bfloat16 and _ops._is_mkldnn_bf16_supported()):
        return False
    generator = torch.Generator().manual_seed(0)
    weight, bias, rows = (torch.randn(*shape, generator=generator) for shape in ((96, 64), (96,), (33, 64)))
    expected = linear(rows, weight, bias)
    output = PrepackedLinear(weight.to(dtype), bias.to(dtype))(rows.to(dtype)).float()
    return torch.allclose(output, expected, atol=1e-4 if dtype == torch.float32 else 0.2)
