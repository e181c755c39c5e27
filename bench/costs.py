"""What models take at least: bytes of weights, and operations. Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers.pytorch_utils import Conv1D

from bench.machine import Cost, Precision

_WIDTH: dict[Precision, int] = {"float32": 4, "bfloat16": 2}


def num_weights(model: Any) -> int:
    """Return the weights that every token is multiplied with: those of linear layers and the head."""
    layers = [module for module in model.modules() if isinstance(module, (torch.nn.Linear, Conv1D))]
    return sum(layer.weight.numel() for layer in layers)


def step(model: Any, precision: Precision, rows: int = 1) -> Cost:
    """Return the cost of one decoding step of `rows` sequences: all weights are read once."""
    weights = num_weights(model)
    return Cost(weights * _WIDTH[precision], 2 * weights * rows, precision)


def forward(call: Callable[[], object], model: Any, precision: Precision) -> Cost:
    """Return the cost of a call, which runs once, and reads the weights of `model` once."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        call()
    return Cost(num_weights(model) * _WIDTH[precision], counter.get_total_flops(), precision)


def scaled(cost: Cost, factor: float) -> Cost:
    """Return the cost of `factor` such works one after another."""
    return Cost(cost.nbytes * factor, cost.flops * factor, cost.precision)
