"""Linear layers in bfloat16 on CPUs, with weights prepacked in the layout that the kernels read.

oneDNN needs weights in blocks. If they are stored row by row, it converts them at every call, and for the few rows of
a decoding step this takes longer than the product itself. Only the layout changes, not the numbers. torch's compiler
does the same with frozen weights (`mkldnn._linear_pointwise`); nothing is compiled here.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

_ROWS = 8
"""The number of rows that the layout is optimized for: those of a decoding step. Any number works."""

_ops: Any = torch.ops.mkldnn


class PrepackedLinear(torch.nn.Module):
    """A linear layer with weights [out, in] and an optional bias [out]. Keeps no reference to the original layer."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.nbytes = weight.nbytes + (0 if bias is None else bias.nbytes)
        self._weight = _ops._reorder_linear_weight(weight.detach().contiguous(), _ROWS)
        self.bias = None if bias is None else bias.detach()

    @property
    def weight(self) -> torch.Tensor:
        """A copy of the weights in their usual layout, for models that read or multiply them by themselves (Mamba)."""
        return self._weight.to_dense()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Compute the layer's output: […, in] → […, out]."""
        return _ops._linear_pointwise(input, self._weight, self.bias, "none", [], "")


@torch.inference_mode()
def prepack_linear_layers(model: PreTrainedModel) -> int:
    """Replace the model's linear layers. Return their size in bytes, or 0 if nothing was replaced."""
    if model.dtype != torch.bfloat16 or model.device.type != "cpu" or not _supported():
        return 0
    names = [name for name, layer in model.named_modules() if type(layer) in (torch.nn.Linear, Conv1D)]
    nbytes = 0
    for name in names:  # one at a time, so that only one layer is in memory twice
        layer = _prepacked(model.get_submodule(name))
        model.set_submodule(name, layer)
        nbytes += layer.nbytes
    return nbytes


def _prepacked(layer: Any) -> PrepackedLinear:
    """Return the prepacked layer. `Conv1D` is GPT-2's linear layer, with weights [in, out]."""
    return PrepackedLinear(layer.weight.t() if isinstance(layer, Conv1D) else layer.weight, layer.bias)


def _supported() -> bool:
    return hasattr(_ops, "_linear_pointwise") and bool(_ops._is_mkldnn_bf16_supported())
