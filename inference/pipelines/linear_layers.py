"""The linear layers of a model, for code that replaces them by faster or smaller ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from inference.pipelines.devices import release_memory

MAX_REPLACED_BYTES = 2**27
"""Bytes of replaced weights after which their memory is returned to the system."""

MakeLayer = Callable[[torch.Tensor, torch.Tensor | None], torch.nn.Module]
"""Makes a layer of weights [out, in] and a bias [out]. It must not keep a reference to weights that it replaces."""


def _keep_none(name: str, layer: torch.nn.Module) -> bool:
    return False


def replace_linear_layers(
    model: Any, make: MakeLayer, *, keep: Callable[[str, torch.nn.Module], bool] = _keep_none, sensitive: bool = False
) -> None:
    """Replace every linear layer, one at a time, so that only a few layers are in memory twice.

    A layer stays if `keep` says so for its name and itself, or if it has another dtype than the model. Those that
    transformers wants in float32 stay too, unless `sensitive` ones are replaced as well: T5 asks for the dtype of their
    weights at each step, and leaves their inputs as they are for int8.
    """
    names_in_float32: list[str] = getattr(model, "_keep_in_fp32_modules", None) or []
    layers: dict[str, Any] = {
        name: layer for name, layer in model.named_modules() if type(layer) in (torch.nn.Linear, Conv1D)
    }
    replaced = 0
    for name in [*layers]:
        layer: Any = layers.pop(name)
        is_sensitive = name.rpartition(".")[2] in names_in_float32
        if keep(name, layer) or (not sensitive if is_sensitive else layer.weight.dtype != model.dtype):
            continue
        weight = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight  # that of GPT-2 is [in, out]
        small = make(weight.detach(), None if layer.bias is None else layer.bias.detach())
        if is_sensitive:
            small.register_buffer("weight", torch.empty(0, dtype=torch.int8), persistent=False)
        model.set_submodule(name, small)
        replaced += weight.nbytes
        del layer, weight
        if replaced > MAX_REPLACED_BYTES:
            release_memory(model.device)
            replaced = 0
