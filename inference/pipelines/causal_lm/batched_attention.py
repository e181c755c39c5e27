"""Attention of a decoding step in one call for all sequences, for devices on which each call has a price.

On a GPU, starting a kernel takes longer than the attention of one new token. A loop over sequences starts several
kernels for each sequence and layer; this module starts five for each layer. The keys and values of all sequences are in
one pool, so one call stores those of the new tokens, and one call gathers those that they see.

The gathered keys are padded to a multiple of 256 tokens, and a mask hides the padding. Such a row is the same, to
the bit, whatever the other rows are: kernels go through the keys in blocks, in the order of the keys, and a block in
which everything is hidden adds exact zeros to what the blocks before it gave. Tests check this on a CPU. For GPUs it
follows from the algorithm of the memory-efficient kernel, which PyTorch takes here for a call with a mask, and
`python -m bench.gpu` checks it on the GPU at hand.

Prompts are read by `attend` in `batched_runner.py`. It also computes the steps of models with soft-capped
scores or with sinks, for which there is no such kernel.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, Cache, PreTrainedModel

from inference.pipelines.causal_lm.batched_runner import (
    BatchedRunner,
    KVCache,
    attend,
    check_declared,
    visible_window,
)

_ATTENTION = "all_sequences"
"""The name of `attend_together` in transformers' attention interface."""

_BLOCK = 256
"""The number of gathered tokens is a multiple of this."""

KERNELS = {
    "cuda": [SDPBackend.EFFICIENT_ATTENTION],
    "cpu": [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH],
}
"""The kernels with which rows do not depend on company. Where none can run, a step fails, and the probe takes the loop.

On GPUs, flash attention takes no mask, and cuDNN's and plain matrix products (MATH) might depend on lengths.
"""


_Pair = tuple[torch.Tensor, torch.Tensor]
"""Keys and values."""


class KVPool:
    """The keys and values of all sequences of a model: one pair for each layer, each [tokens, heads, head size].

    Each sequence has `capacity` tokens in a row. The pool is as large as its sequences: it is copied when one comes or
    goes, layer by layer. That costs no more than a decoding step or two, which read all of it.
    """

    def __init__(self) -> None:
        self.layers: dict[int, _Pair] = {}
        self._sequences: list[weakref.ref[PooledKVCache]] = []
        self._end = 0

    @property
    def bytes_per_token(self) -> int:
        return sum(tensor[:1].nbytes for pair in self.layers.values() for tensor in pair)

    def add(self, sequence: PooledKVCache) -> int:
        """Return the place of the first token of a new sequence."""
        live = self._live()
        if len(live) < len(self._sequences):  # some were dropped without `clear`
            self._keep(live)
        self._sequences.append(weakref.ref(sequence))
        self._end += sequence.capacity
        return self._end - sequence.capacity

    def remove(self, sequence: PooledKVCache) -> None:
        """Free the memory of a sequence."""
        self._keep([other for other in self._live() if other is not sequence])

    def layer(self, index: int, keys: torch.Tensor, values: torch.Tensor) -> _Pair:
        """Return the keys and values of a layer, with room for all sequences. New ones are [rows, heads, …, size]."""
        if index not in self.layers:
            self.layers[index] = _both(lambda new: new.new_empty(0, new.shape[1], new.shape[3]), (keys, values))
        if len(self.layers[index][0]) < self._end:
            self.layers[index] = _both(self._grown, self.layers[index])
        return self.layers[index]

    def _live(self) -> list[PooledKVCache]:
        """Return the sequences that are still in use, in their order in memory."""
        return [sequence for reference in self._sequences if (sequence := reference())]

    def _grown(self, tensor: torch.Tensor) -> torch.Tensor:
        grown = tensor.new_empty(self._end, *tensor.shape[1:])
        grown[: len(tensor)] = tensor
        return grown

    def _keep(self, kept: list[PooledKVCache]) -> None:
        """Move the sequences that are kept together. If memory runs out meanwhile, all of them are lost."""
        places = [slice(start := sequence.place(), start + sequence.capacity) for sequence in kept]
        layers, self.layers, self._sequences, self._end = self.layers, {}, [], 0
        for sequence in kept:
            sequence.start = _LOST
        try:
            while layers and kept:
                index, pair = layers.popitem()
                self.layers[index] = _both(lambda tensor: torch.cat([tensor[place] for place in places]), pair)
        except torch.OutOfMemoryError:  # each of them raises it at its next token
            self.layers = {}
            return
        for sequence in kept:
            sequence.start = self.add(sequence)


_LOST = -1
"""The start of a sequence whose keys and values are gone."""


class PooledKVCache(KVCache):
    """The keys and values of one sequence, from token `start` of the pool on. It takes memory from its first token."""

    def __init__(self, pool: KVPool, capacity: int) -> None:
        super().__init__(capacity)
        self.start: int | None = None
        self._pool = pool

    @property
    def nbytes(self) -> int:
        return 0 if self.start is None else self.capacity * self._pool.bytes_per_token

    def place(self) -> int:
        """Return where the sequence starts, and take the memory for it at the first call."""
        if self.start is None:
            self.start = self._pool.add(self)
        if self.start == _LOST:
            raise torch.OutOfMemoryError("the keys and values were lost when memory ran out")
        return self.start

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> _Pair:
        start, end = self.place(), self.length + keys.shape[2]
        assert end <= self.capacity, "a token past the capacity"
        pair = self._pool.layer(layer, keys, values)
        for store, new in zip(pair, (keys, values), strict=True):
            store[start + self.length : start + end] = new[0].transpose(0, 1)
        return self.tokens(pair, end)

    def tokens(self, pair: _Pair, length: int) -> _Pair:
        """Return the first tokens of a layer's keys and values, each [1, heads, length, head size]."""
        start = self.place()
        return _both(lambda store: store[start : start + length].transpose(0, 1)[None], pair)

    @torch.inference_mode()
    def copy(self, source: KVCache, length: int) -> None:
        assert isinstance(source, PooledKVCache)
        self.place()
        for layer, pair in list(self._pool.layers.items()):
            self.append(layer, *source.tokens(pair, length))
        self.length = length

    def clear(self) -> None:
        if self.start is not None:
            self._pool.remove(self)
        self.length, self.start = 0, None


class _DecodingStep(Cache):
    """Replaces the model's cache in a step that appends a token to each of some sequences."""

    def __init__(self, pool: KVPool, caches: Sequence[PooledKVCache], device: torch.device) -> None:
        super().__init__(layers=[])
        assert all(cache.length < cache.capacity for cache in caches), "a token past the capacity"
        self.caches = caches
        self._pool = pool
        self._device = device
        self._new = self._indices([cache.place() + cache.length for cache in caches])
        self._windows: dict[int | None, _Pair] = {}

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any) -> Any:
        """Store the new keys and values. Return the step with the layer's pair, as `attend_together` expects it."""
        pair = self._pool.layer(layer_idx, key_states, value_states)
        for store, new in zip(pair, (key_states, value_states), strict=True):
            store.index_copy_(0, self._new, new[0, :, : len(self.caches)].transpose(0, 1))
        return (self, pair), None

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.caches[0].length

    def visible(self, window: int | None, dtype: torch.dtype) -> _Pair:
        """Return which tokens of the pool each sequence sees [sequences, n], padded, and a mask for the padding.

        The mask is added to the scores. The padding repeats a sequence's newest token: all numbers must be finite.
        """
        if window not in self._windows:
            counts = [min(cache.length + 1, window or cache.capacity) for cache in self.caches]
            firsts = [cache.place() + cache.length + 1 - n for cache, n in zip(self.caches, counts, strict=True)]
            offsets = torch.arange(-(-max(counts) // _BLOCK) * _BLOCK, device=self._device)[None, :]
            last = self._indices(counts)[:, None] - 1
            mask = torch.zeros(offsets.shape, dtype=dtype, device=self._device).where(offsets <= last, -torch.inf)
            self._windows[window] = self._indices(firsts)[:, None] + offsets.minimum(last), mask[:, None, None, :]
        return self._windows[window]

    def _indices(self, numbers: list[int]) -> torch.Tensor:
        return torch.tensor(numbers, device=self._device)


def attend_together(
    module: torch.nn.Module,
    query: torch.Tensor,
    layer: tuple[_DecodingStep, _Pair],
    _values: None,
    attention_mask: int | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **declared: Any,
) -> tuple[torch.Tensor, None]:
    """Compute the attention of each row of `query` [1, heads, rows, size] over its own sequence, as `attend` does.

    `layer` is what the step returned for this layer. Return [1, rows, heads, size]. Rows that pad the batch stay zero.
    """
    step, pair = layer
    if softcap is not None or s_aux is not None:
        sequences = [
            (slice(row, row + 1), *cache.tokens(pair, cache.length + 1)) for row, cache in enumerate(step.caches)
        ]
        own: dict[str, Any] = {"scaling": scaling, "sliding_window": sliding_window, "softcap": softcap, "s_aux": s_aux}
        return attend(module, query, sequences, None, attention_mask, **own, **declared)
    check_declared(attention_mask, sliding_window, declared)
    indices, mask = step.visible(attention_mask, query.dtype)
    keys, values = _both(lambda store: _gathered(store, indices), pair)
    num_sequences = len(indices)
    _, heads, num_rows, size = query.shape
    out = query.new_zeros(num_rows, heads, values.shape[3])
    # Queries that share a key stand where a longer query would have its tokens, so that no key is copied for them.
    grouped = query[0, :, :num_sequences].transpose(0, 1).reshape(num_sequences, keys.shape[1], -1, size)
    attended = scaled_dot_product_attention(grouped, keys, values, attn_mask=mask, scale=scaling)
    out[:num_sequences] = attended.reshape(num_sequences, heads, -1)
    return out[None], None


def _gathered(store: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Return the tokens at `indices` [sequences, tokens] of a store, as [sequences, heads, tokens, head size]."""
    return store.index_select(0, indices.flatten()).view(*indices.shape, *store.shape[1:]).transpose(1, 2)


def _both(change: Callable[[torch.Tensor], torch.Tensor], pair: _Pair) -> _Pair:
    return change(pair[0]), change(pair[1])


AttentionInterface.register(_ATTENTION, attend_together)  # pyright: ignore[reportArgumentType]
AttentionMaskInterface.register(_ATTENTION, visible_window)  # pyright: ignore[reportArgumentType]


class PooledRunner(BatchedRunner):
    """Runs a decoding step with one call of attention for all sequences. Prompts are read as by `BatchedRunner`."""

    def __init__(self, model: PreTrainedModel, max_num_seqs: int) -> None:
        super().__init__(model, max_num_seqs)
        self._pool = KVPool()

    def new_cache(self, capacity: int) -> KVCache:
        return PooledKVCache(self._pool, capacity)

    def cache_bytes(self, caches: Sequence[KVCache]) -> int:
        """Count also the keys and values that a step gathers in one layer, all as long as the longest."""
        longest = -(-max((cache.capacity for cache in caches), default=0) // _BLOCK) * _BLOCK
        num_layers: int = self._model.config.get_text_config(decoder=True).num_hidden_layers
        return super().cache_bytes(caches) + len(caches) * longest * self.bytes_per_token // num_layers

    @torch.inference_mode()
    def decode(self, caches: Sequence[KVCache], tokens: Sequence[int]) -> torch.Tensor:
        pooled = [cache for cache in caches if isinstance(cache, PooledKVCache)]
        with sdpa_kernel(KERNELS[self._device.type]):
            return self._forward(
                caches,
                [[token] for token in tokens],
                attention=_ATTENTION,
                model_cache=_DecodingStep(self._pool, pooled, self._device),
            )


def batched_runners(model: PreTrainedModel, max_num_seqs: int) -> list[BatchedRunner]:
    """Return the runners that decode several sequences together on the model's device, the fastest first."""
    in_a_loop = BatchedRunner(model, max_num_seqs)
    return [PooledRunner(model, max_num_seqs), in_a_loop] if model.device.type == "cuda" else [in_a_loop]
