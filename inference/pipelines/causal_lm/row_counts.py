"""How many rows a batch may have so that no row's numbers depend on the other rows.

Kernels for matrix products choose their order of summation by shape, so a row may have other last bits beside 15 others
than alone. Which numbers of rows agree depends on the CPU, the library and the layout of the weights, so it is tried
with a layer of each shape. Batches are then filled up to the next number of rows that agrees. Prepacked layers whose
kernels for many rows differ compute them in blocks, which costs less than a pass of the whole model for each block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from math import ceil
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from inference.pipelines.prepacked_linear import PrepackedLinear
from inference.pipelines.quantization import QuantizedLinear

_LARGER = (24, 32, 48, 64, 96, 128)
"""Numbers of rows beyond those of a decoding step, for several short prompts that are read together."""

_TRIED_NUMBERS = 150_000
"""The numbers of a layer's output that are compared at least, since rounding hides most differences of order.

One row against many, bfloat16, AMD EPYC: one number in 50,000 differs.
"""

Product = Callable[[torch.Tensor], torch.Tensor]
"""The product of a linear layer: [rows, in] → [rows, out]."""


@torch.inference_mode()
def equal_row_counts(model: PreTrainedModel, max_num_seqs: int) -> tuple[int, ...]:
    """Return the numbers of rows with which every linear layer computes equal rows, ascending.

    Prepacked layers may be told to compute in blocks for that. `max_num_seqs`, the most rows of a decoding step, is
    always one of them: the others are compared with it.
    """
    counts = [2**i for i in range(max_num_seqs.bit_length()) if 2**i < max_num_seqs]
    larger = list(_LARGER)
    head = model.get_output_embeddings()
    for in_features, layers in _layers_of_each_shape(model):
        product = _product_of(layers[0])
        generator = torch.Generator().manual_seed(0)
        rows = torch.randn(_num_tried(layers[0]), in_features, generator=generator)
        rows = rows.to(_dtype_of(layers[0], model.dtype))
        expected = torch.cat([product(block) for block in rows.split(max_num_seqs)])
        counts = [count for count in counts if _agrees(product, rows, expected, count)]
        if layers == [head]:
            continue  # it computes only the last row of each sequence
        agreeing = _agreeing(product, rows, expected, larger)
        if len(agreeing) < len(larger) and isinstance(layers[0], PrepackedLinear):
            for layer in layers:
                layer.compute_in_blocks(max([max_num_seqs, *agreeing]), up_to=_LARGER[-1])
            agreeing = _agreeing(product, rows, expected, larger)
        larger = agreeing
    return (*counts, max_num_seqs, *larger)


def _num_tried(layer: Any) -> int:
    """Return how many rows are tried: enough of one with few outputs to see a difference."""
    out_features = layer.nf if isinstance(layer, Conv1D) else layer.out_features
    return ceil(_TRIED_NUMBERS / out_features / _LARGER[-1]) * _LARGER[-1]


def _agreeing(product: Product, rows: torch.Tensor, expected: torch.Tensor, counts: Sequence[int]) -> list[int]:
    """Return those of `counts` up to the first that disagrees with `expected`, the same rows in small batches."""
    return list(takewhile(partial(_agrees, product, rows, expected), counts))


def _agrees(product: Product, rows: torch.Tensor, expected: torch.Tensor, count: int) -> bool:
    """Return whether blocks of `count` rows are computed as `expected`."""
    blocks = rows[: len(rows) // count * count].split(count)
    return torch.equal(torch.cat([product(block) for block in blocks]), expected[: count * len(blocks)])


def _layers_of_each_shape(model: PreTrainedModel) -> list[tuple[int, list[Any]]]:
    """Return the linear layers by their kind and shape, with the size of their input."""
    layers: dict[Any, list[Any]] = defaultdict(list)
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear | PrepackedLinear | QuantizedLinear):
            layers[type(layer), layer.in_features, layer.out_features].append(layer)
        elif isinstance(layer, Conv1D):
            layers[type(layer), layer.nx, layer.nf].append(layer)
    return [(in_features, same) for (_, in_features, _), same in layers.items()]


def _product_of(layer: Any) -> Product:
    """Return the product alone: some models return more from a subclass of Linear, such as a router."""
    return partial(torch.nn.Linear.forward, layer) if isinstance(layer, torch.nn.Linear) else layer


def _dtype_of(layer: Any, default: torch.dtype) -> torch.dtype:
    """Return the dtype of an ordinary layer, which may differ from that of the model."""
    return layer.weight.dtype if isinstance(layer, torch.nn.Linear | Conv1D) else default
