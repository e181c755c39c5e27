"""Decoding sequences of different lengths together, without padding.

The linear layers, which are nearly all of a model's work, run on a batch of one new token a sequence.
Attention runs sequence by sequence, each over its own keys and values. So nothing is padded, a
sequence may come or go at any token, and none can change another's numbers: the same request gives
the same text alone and in a batch.

That last promise needs matrix products whose rows don't depend on how many rows there are. Kernels
choose their order of summation by shape, so the shapes are few: a step's rows are filled up to a
multiple of eight on CPUs, where such shapes were found to give equal rows (fewer rows, or a
remainder, take other paths), and to one fixed number on GPUs, where rows cost next to nothing. A
prompt is read on its own.

transformers lets a model run with a foreign attention function and cache; see
https://huggingface.co/docs/transformers/attention_interface.
"""

from __future__ import annotations

from collections.abc import Sequence as Sequences
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, Cache, PreTrainedModel

ATTENTION = "per_sequence"
"""Name under which models are asked to use `attend`."""

_CPU_ROWS = 8


class KVCache:
    """The keys and values of one sequence so far, a pair a layer, each [1, heads, capacity, head size].

    Lowering `length` forgets what came after.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.length = 0
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Store what new tokens bring, each [1, heads, tokens, head size]; returns all of the layer so far."""
        if layer not in self._layers:
            self._layers[layer] = (self._room(keys), self._room(values))
        end = self.length + keys.shape[2]
        for store, new in zip(self._layers[layer], (keys, values), strict=True):
            store[:, :, self.length : end] = new
        all_keys, all_values = self._layers[layer]
        return all_keys[:, :, :end], all_values[:, :, :end]

    def copy(self, other: KVCache, length: int) -> None:
        """Take over the first `length` tokens of `other`."""
        for layer, pair in other._layers.items():
            keys, values = (tensor[:, :, :length] for tensor in pair)
            self.append(layer, keys, values)
        self.length = length

    def clear(self) -> None:
        """Forget everything, and give its memory back."""
        self.length = 0
        self._layers = {}

    def _room(self, like: torch.Tensor) -> torch.Tensor:
        batch, heads, _, size = like.shape
        return like.new_empty(batch, heads, self.capacity, size)


class _BatchCache(Cache):
    """Stands where a model expects its cache: hands row i of each layer to sequence i."""

    def __init__(self, sequences: Sequences[KVCache]) -> None:
        super().__init__(layers=[])
        self._sequences = sequences

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any) -> Any:
        """Returns, in the places of keys and values, a list of pairs and nothing: `attend` knows."""
        pairs = [
            sequence.append(layer_idx, key_states[i : i + 1], value_states[i : i + 1])
            for i, sequence in enumerate(self._sequences)
        ]
        return pairs, None

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self._sequences[0].length


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    pairs: list[tuple[torch.Tensor, torch.Tensor]],
    _values: None,
    _attention_mask: None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of each row of `query` [rows, heads, tokens, size] over its own sequence.

    Returns [rows, tokens, heads, size]; rows beyond the sequences (see `ModelRunner.step`) stay zero.
    """
    out = query.new_zeros(query.shape[0], query.shape[2], query.shape[1], query.shape[3])
    for i, (keys, values) in enumerate(pairs):
        new, total = query.shape[2], keys.shape[2]
        mask = _mask(new, total, sliding_window or total, query.device)
        attended = scaled_dot_product_attention(
            query[i : i + 1],
            keys,
            values,
            attn_mask=mask,
            is_causal=mask is None and new > 1,
            scale=scaling,
            enable_gqa=query.shape[1] != keys.shape[1],
        )
        out[i] = attended[0].transpose(0, 1)
    return out, None


def _mask(new: int, total: int, window: int, device: torch.device) -> torch.Tensor | None:
    """[new, total], true where a token may look: itself and the `window - 1` before it.

    None where torch's own causal mask, or no mask at all, says the same and runs faster.
    """
    if total <= window and new in (1, total):
        return None
    at = torch.arange(total - new, total, device=device)[:, None]
    seen = torch.arange(total, device=device)[None, :]
    return (seen <= at) & (seen > at - window)


AttentionInterface.register(ATTENTION, attend)  # pyright: ignore[reportArgumentType]


class ModelRunner:
    """A causal model loaded with `attn_implementation=ATTENTION`; `rows` is the most sequences a step may have."""

    def __init__(self, model: PreTrainedModel, rows: int) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        self._row_multiple = _CPU_ROWS if self._device.type == "cpu" else rows

    @torch.inference_mode()
    def read(self, sequence: KVCache, tokens: list[int]) -> torch.Tensor:
        """Take `tokens` into the sequence; returns the logits after each of them [tokens, vocabulary]."""
        return self._forward([sequence], [tokens], keep=0)[0]

    @torch.inference_mode()
    def prompt(self, sequence: KVCache, tokens: list[int]) -> torch.Tensor:
        """Take `tokens` into the sequence; returns the logits after the last of them [1, vocabulary]."""
        return self._forward([sequence], [tokens], keep=1)[:, -1]

    @torch.inference_mode()
    def step(self, sequences: Sequences[KVCache], tokens: Sequences[int]) -> torch.Tensor:
        """Take one more token into each sequence; returns the logits after it [sequences, vocabulary]."""
        filler = [[0]] * (-len(sequences) % self._row_multiple)
        logits = self._forward(sequences, [[token] for token in tokens] + filler, keep=1)
        return logits[: len(sequences), -1]

    def _forward(self, sequences: Sequences[KVCache], rows: list[list[int]], keep: int) -> torch.Tensor:
        """[rows, tokens] → logits of the last `keep` tokens (0: all) [rows, tokens, vocabulary], fp32 on the CPU."""
        starts = [sequence.length for sequence in sequences] + [0] * (len(rows) - len(sequences))
        new = len(rows[0])
        output = self._model(
            input_ids=torch.tensor(rows, device=self._device),
            position_ids=torch.tensor([range(start, start + new) for start in starts], device=self._device),
            past_key_values=_BatchCache(sequences),
            use_cache=True,
            logits_to_keep=keep,
        )
        for sequence in sequences:
            sequence.length += new
        return output.logits.float().cpu()
