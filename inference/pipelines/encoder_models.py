"""Functions shared by encoder models (BERT and similar): their window, and batches of several texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer

from inference.pipelines.devices import Placement
from inference.pipelines.openvino_encoder import OpenVinoEncoder, learned_positions, read_openvino_encoder
from inference.pipelines.weights import read_model
from inference.types import ModelSpec

_MAX_BATCH_SIZE = 8
"""Texts in one forward pass."""

ModelInput = Mapping[str, list[int]]
"""One tokenized text: `input_ids` and other inputs of the model, all of one length."""


def read_tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def read_encoder(kind: Any, spec: ModelSpec, folder: Path, placement: Placement, tokenizer: Any) -> Any:
    """Return the model of this Auto class in `folder`, computed by the spec's runtime."""
    if spec.runtime == "openvino":
        return read_openvino_encoder(kind, spec, folder, placement, tokenizer)
    return read_model(kind, folder, placement)


def window(model: Any, tokenizer: Any) -> int:
    """Return the largest number of tokens that the model can read, including special tokens."""
    learned = model.num_positions if isinstance(model, OpenVinoEncoder) else learned_positions(model)
    largest = learned or getattr(model.config, "max_position_embeddings", None) or 512
    return min(tokenizer.model_max_length, largest)


def token_windows(tokenizer: Any, text: str, size: int, overlap: int = 0) -> list[ModelInput]:
    """Return the tokenized text in windows of at most `size` tokens, of which neighbours share `overlap`."""
    encoded = tokenizer(
        text, truncation=True, max_length=size, stride=overlap, return_overflowing_tokens=True, verbose=False
    )
    names = [name for name in tokenizer.model_input_names if name in encoded]
    return [{name: encoded[name][i] for name in names} for i in range(len(encoded["input_ids"]))]


def run_batched(
    model: Any, inputs: Sequence[ModelInput], select: Callable[[Any], Tensor], yield_point: Callable[[], None]
) -> list[Tensor]:
    """Run the model on each input. Return what `select` takes from its output, as float32 on the CPU.

    Only inputs of equal length share a forward pass. With padding, attention adds up a longer, masked sequence in
    another order. The last bits, and with them close decisions, would depend on the other inputs.
    """
    outputs: dict[int, Tensor] = {}
    for group in _groups_of_equal_length(inputs):
        yield_point()
        # each tensor: [inputs of the group, tokens]
        names = inputs[group[0]]
        tensors = {name: torch.tensor([inputs[i][name] for i in group], device=model.device) for name in names}
        with torch.inference_mode():
            output = select(model(**tensors)).float().cpu()
        outputs.update(zip(group, output, strict=True))
    return [outputs[i] for i in range(len(inputs))]


def _groups_of_equal_length(inputs: Sequence[ModelInput]) -> Iterator[list[int]]:
    by_length: dict[int, list[int]] = {}
    for i, model_input in enumerate(inputs):
        by_length.setdefault(len(model_input["input_ids"]), []).append(i)
    for group in by_length.values():
        for start in range(0, len(group), _MAX_BATCH_SIZE):
            yield group[start : start + _MAX_BATCH_SIZE]
