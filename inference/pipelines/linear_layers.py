"""The linear layers of a model, for code that replaces them by faster or smaller ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from inference.pipelines.devices import release_memory

_MAX_REPLACED_BYTES = 2**27
"""Bytes of replaced weights after which their memory is returned to the system."""

MakeLayer = Callable[[torch.Tensor, torch.Tensor | None], torch.nn.Module]
"""Makes a layer of weights [out, in] and a bias [out]. It must not keep a reference to weights that it replaces."""


def replace_linear_layers(model: PreTrainedModel, make: MakeLayer, *, keep: torch.nn.Module | None = None) -> None:
    """Replace every linear layer except `keep`, one at a time, so that only a few layers are in memory twice.

    Layers in another dtype than the model stay as well, and those that transformers wants in float32: T5 asks for the
    dtype of their weights at each step.
    """
    kept: list[str] = getattr(model, "_keep_in_fp32_modules", None) or []
    layers: dict[str, Any] = {
        name: layer for name, layer in model.named_modules() if type(layer) in (torch.nn.Linear, Conv1D)
    }
    names = [
        name
        for name, layer in layers.items()
        if layer is not keep and layer.weight.dtype == model.dtype and name.rpartition(".")[2] not in kept
    ]
    del layers
    replaced = 0
    for name in names:
        layer: Any = model.get_submodule(name)
        weight = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight  # that of GPT-2 is [in, out]
        model.set_submodule(name, make(weight.detach(), None if layer.bias is None else layer.bias.detach()))
        replaced += weight.nbytes
        del layer, weight
        if replaced > _MAX_REPLACED_BYTES:
            release_memory(model.device)
            replaced = 0
