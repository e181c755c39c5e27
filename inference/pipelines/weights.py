"""Reading a transformers model from a folder straight into its device and number format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import PreTrainedModel

from inference.devices import Placement

M = TypeVar("M", bound=PreTrainedModel)


def read_model(kind: type[M] | Any, folder: Path, placement: Placement, **options: Any) -> M:
    """`kind.from_pretrained(folder)` in evaluation mode, never holding a second copy of the weights.

    `kind` is a model class or an Auto class; safetensors are read before a legacy `.bin`.
    """
    model = kind.from_pretrained(folder, dtype=placement.dtype, local_files_only=True, **options)
    return model.to(placement.device).eval()


def weight_bytes(*modules: torch.nn.Module) -> int:
    """Memory that the parameters and buffers of `modules` take, tied ones counted once."""
    tensors = {t.data_ptr(): t for module in modules for t in (*module.parameters(), *module.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())
