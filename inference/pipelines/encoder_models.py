"""What the models that read a whole text at once (BERT and its kin) share: their window, and running several texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer

_TOGETHER = 8
"""Texts in one forward pass."""

Row = Mapping[str, list[int]]
"""One tokenized text: `input_ids` and what else the model takes, all of one length."""


def read_tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def window(model: Any, tokenizer: Any) -> int:
    """The most tokens, special ones included, that the model can read."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            # RoBERTa and its kin count positions from one past the padding token's.
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return min(tokenizer.model_max_length, module.num_embeddings - unused)
    return min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None) or 512)


def run_rows(
    model: Any, rows: Sequence[Row], read: Callable[[Any], Tensor], yield_point: Callable[[], None]
) -> list[Tensor]:
    """What `read` takes from the model's output, as float32 on the CPU, for each row.

    Only rows of equal length share a forward pass. A padded row would attend over a longer, masked sequence,
    which adds up in another order: its last bits, and with them a close decision, would depend on its company.
    """
    outputs: dict[int, Tensor] = {}
    for group in _equal_lengths(rows):
        yield_point()
        # each input: [rows of the group, tokens]
        inputs = {name: torch.tensor([rows[i][name] for i in group], device=model.device) for name in rows[group[0]]}
        with torch.inference_mode():
            output = read(model(**inputs)).float().cpu()
        outputs.update(zip(group, output, strict=True))
    return [outputs[i] for i in range(len(rows))]


def _equal_lengths(rows: Sequence[Row]) -> Iterator[list[int]]:
    by_length: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        by_length.setdefault(len(row["input_ids"]), []).append(i)
    for group in by_length.values():
        for start in range(0, len(group), _TOGETHER):
            yield group[start : start + _TOGETHER]
