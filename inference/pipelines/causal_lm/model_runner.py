"""Decoding of sequences of different lengths in one batch, without padding.

The linear layers, which do nearly all of a model's work, run on a batch with one new token per sequence. Attention runs
separately for each sequence, over its own keys and values. So nothing is padded, sequences may join or leave at any
token, and no sequence changes the numbers of another: a request gives the same text alone and in a batch.

This requires matrix products whose rows do not depend on the number of rows. Kernels choose their order of summation by
shape, so only a few shapes are used. On CPUs a batch is filled up to a multiple of eight rows, shapes that were found
to give equal rows (fewer rows, or a remainder, take other paths). On GPUs it is filled up to one fixed number, where
additional rows cost almost nothing. Each prompt is processed alone.

transformers supports custom attention functions and caches: see
https://huggingface.co/docs/transformers/attention_interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, Cache, PreTrainedModel

ATTENTION = "per_sequence"
"""The name of `attend` in transformers' attention interface."""

_CPU_ROWS = 8


class KVCache:
    """The keys and values of one sequence: one pair per layer, each [1, heads, capacity, head size].

    Lower `length` to drop the tokens after it.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.length = 0
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Store the keys and values of new tokens, [1, heads, tokens, head size]. Return those of all tokens so far."""
        if layer not in self._layers:
            self._layers[layer] = (self._room(keys), self._room(values))
        end = self.length + keys.shape[2]
        for store, new in zip(self._layers[layer], (keys, values), strict=True):
            store[:, :, self.length : end] = new
        all_keys, all_values = self._layers[layer]
        return all_keys[:, :, :end], all_values[:, :, :end]

    def copy(self, source: KVCache, length: int) -> None:
        """Copy the first `length` tokens of `source`."""
        for layer, pair in source._layers.items():
            keys, values = (tensor[:, :, :length] for tensor in pair)
            self.append(layer, keys, values)
        self.length = length

    def clear(self) -> None:
        """Remove all tokens and free their memory."""
        self.length = 0
        self._layers = {}

    def _room(self, like: torch.Tensor) -> torch.Tensor:
        batch, heads, _, size = like.shape
        return like.new_empty(batch, heads, self.capacity, size)


class _BatchCache(Cache):
    """Replaces the model's cache: passes row i of each layer to the cache of sequence i."""

    def __init__(self, caches: Sequence[KVCache]) -> None:
        super().__init__(layers=[])
        self._caches = caches

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any) -> Any:
        """Return a list of (keys, values) pairs and None, in place of keys and values. `attend` expects this."""
        pairs = [
            cache.append(layer_idx, key_states[i : i + 1], value_states[i : i + 1])
            for i, cache in enumerate(self._caches)
        ]
        return pairs, None

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self._caches[0].length


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
    """Compute the attention of each row of `query` [rows, heads, tokens, size] over its own sequence.

    Return [rows, tokens, heads, size]. Padding rows (see `ModelRunner.decode`) stay zero.
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
    """Return the mask [new, total]: true for the token itself and for the `window - 1` tokens before it.

    Return None if torch's own causal mask, or no mask, is equivalent, since that is faster.
    """
    if total <= window and new in (1, total):
        return None
    positions = torch.arange(total - new, total, device=device)[:, None]
    visible = torch.arange(total, device=device)[None, :]
    return (visible <= positions) & (visible > positions - window)


AttentionInterface.register(ATTENTION, attend)  # pyright: ignore[reportArgumentType]


class ModelRunner:
    """Runs a causal model loaded with `attn_implementation=ATTENTION`, on at most `max_num_seqs` sequences per step."""

    def __init__(self, model: PreTrainedModel, max_num_seqs: int) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        self._row_multiple = _CPU_ROWS if self._device.type == "cpu" else max_num_seqs

    @torch.inference_mode()
    def extend(self, cache: KVCache, tokens: list[int]) -> torch.Tensor:
        """Append `tokens` to the sequence. Return the logits after each of them [tokens, vocabulary]."""
        return self._forward([cache], [tokens], keep=0)[0]

    @torch.inference_mode()
    def prefill(self, cache: KVCache, tokens: list[int]) -> torch.Tensor:
        """Append `tokens` to the sequence. Return the logits after the last of them [1, vocabulary]."""
        return self._forward([cache], [tokens], keep=1)[:, -1]

    @torch.inference_mode()
    def decode(self, caches: Sequence[KVCache], tokens: Sequence[int]) -> torch.Tensor:
        """Append one token to each sequence. Return the logits after it [sequences, vocabulary]."""
        padding = [[0]] * (-len(caches) % self._row_multiple)
        logits = self._forward(caches, [[token] for token in tokens] + padding, keep=1)
        return logits[: len(caches), -1]

    def _forward(self, caches: Sequence[KVCache], inputs: list[list[int]], keep: int) -> torch.Tensor:
        """Return the logits of the last `keep` tokens (0: all) [rows, tokens, vocabulary], in fp32 on the CPU."""
        starts = [cache.length for cache in caches] + [0] * (len(inputs) - len(caches))
        new = len(inputs[0])
        output = self._model(
            input_ids=torch.tensor(inputs, device=self._device),
            position_ids=torch.tensor([range(start, start + new) for start in starts], device=self._device),
            past_key_values=_BatchCache(caches),
            use_cache=True,
            logits_to_keep=keep,
        )
        for cache in caches:
            cache.length += new
        return output.logits.float().cpu()
