"""Linear layers in bfloat16 on CPUs, whose weights are laid out once for the kernels that read them.

oneDNN wants weights in blocks. Given them row by row, it lays them out anew at every call, and for the few rows of a
decoding step that takes longer than the product itself. The numbers stay the same; only the layout changes. It is
what torch's own compiler does with frozen weights (`mkldnn._linear_pointwise`), here without compiling anything.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

_ROWS = 8
"""Rows that the layout is chosen for: those of a decoding step. Any number can be computed with it."""

_ops: Any = torch.ops.mkldnn


class PrepackedLinear(torch.nn.Module):
    """A linear layer with weights [out, in] and a bias [out] or none; keeps nothing of what it was made from."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.nbytes = weight.nbytes + (0 if bias is None else bias.nbytes)
        self._weight = _ops._reorder_linear_weight(weight.detach().contiguous(), _ROWS)
        self._bias = None if bias is None else bias.detach()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """[…, in] → […, out]"""
        return _ops._linear_pointwise(rows, self._weight, self._bias, "none", [], "")


@torch.inference_mode()
def prepack_linear_layers(model: PreTrainedModel) -> int:
    """Replace the model's linear layers; returns the bytes they take now, 0 where nothing was to be gained."""
    if model.dtype != torch.bfloat16 or model.device.type != "cpu" or not _supported():
        return 0
    names = [name for name, layer in model.named_modules() if type(layer) in (torch.nn.Linear, Conv1D)]
    nbytes = 0
    for name in names:  # one by one, so that no more than one layer is there twice
        layer = _prepacked(model.get_submodule(name))
        model.set_submodule(name, layer)
        nbytes += layer.nbytes
    return nbytes


def _prepacked(layer: Any) -> PrepackedLinear:
    """`Conv1D` is GPT-2's linear layer, with weights [in, out]."""
    return PrepackedLinear(layer.weight.t() if isinstance(layer, Conv1D) else layer.weight, layer.bias)


def _supported() -> bool:
    return hasattr(_ops, "_linear_pointwise") and bool(_ops._is_mkldnn_bf16_supported())
