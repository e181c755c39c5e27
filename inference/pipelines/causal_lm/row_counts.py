"""How many rows a batch may have so that no row's numbers depend on the other rows.

Kernels for matrix products choose their order of summation by shape, so a row may have other last bits beside 15 others
than alone. Which numbers of rows agree depends on the CPU, the library and the layout of the weights, so it is tried
with the layers of the model. Batches are then filled up to the next number of rows that agrees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from inference.pipelines.prepacked_linear import PrepackedLinear
from inference.pipelines.quantization import QuantizedLinear

_LARGER = (24, 32, 48, 64, 96, 128)
"""Numbers of rows beyond those of a decoding step, for several short prompts that are read together."""


Product = Callable[[torch.Tensor], torch.Tensor]
"""The product of a linear layer: [rows, in] → [rows, out]."""


@torch.inference_mode()
def equal_row_counts(model: PreTrainedModel, max_num_seqs: int) -> tuple[int, ...]:
    """Return the numbers of rows with which every linear layer computes equal rows, ascending.

    `max_num_seqs`, the most rows of a decoding step, is always one of them: the others are compared with it.
    """
    counts = [2**i for i in range(max_num_seqs.bit_length()) if 2**i < max_num_seqs]
    larger = list(_LARGER)
    head = model.get_output_embeddings()
    for layer, in_features in _distinct_layers(model):
        product = _product_of(layer)
        generator = torch.Generator().manual_seed(0)
        rows = torch.randn(_LARGER[-1], in_features, generator=generator).to(_dtype_of(layer, model.dtype))
        expected = product(rows[:max_num_seqs])
        counts = [count for count in counts if torch.equal(product(rows[:count]), expected[:count])]
        if layer is not head:  # it computes only the last row of each sequence
            larger = _agreeing(product, rows, expected, larger)
    return (*counts, max_num_seqs, *larger)


def _agreeing(product: Product, rows: torch.Tensor, expected: torch.Tensor, counts: Sequence[int]) -> list[int]:
    """Return those of `counts` up to the first that disagrees, in the first or the last rows of a batch."""
    agreeing: list[int] = []
    for count in counts:
        output = product(rows[:count])
        last = product(rows[count - len(expected) : count])
        if not (torch.equal(output[: len(expected)], expected) and torch.equal(output[-len(expected) :], last)):
            break
        agreeing.append(count)
    return agreeing


def _distinct_layers(model: PreTrainedModel) -> list[tuple[Any, int]]:
    """Return one linear layer of each shape, with the size of its input."""
    layers: dict[Any, tuple[Any, int]] = {}
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear | PrepackedLinear | QuantizedLinear):
            shape = (layer.in_features, layer.out_features)
        elif isinstance(layer, Conv1D):
            shape = (layer.nx, layer.nf)
        else:
            continue
        layers.setdefault((type(layer), *shape), (layer, shape[0]))
    return list(layers.values())


def _product_of(layer: Any) -> Product:
    """Return the product alone: some models return more from a subclass of Linear, such as a router."""
    return partial(torch.nn.Linear.forward, layer) if isinstance(layer, torch.nn.Linear) else layer


def _dtype_of(layer: Any, default: torch.dtype) -> torch.dtype:
    """Return the dtype of an ordinary layer, which may differ from that of the model."""
    return layer.weight.dtype if isinstance(layer, torch.nn.Linear | Conv1D) else default
