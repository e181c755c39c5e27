"""Decoding of sequences of different lengths in one batch, without padding of the sequences.

The linear layers, which do nearly all of a model's work, run on the new tokens of all sequences, one row each.
Attention runs separately for each sequence, over its own keys and values. So sequences are not padded, they may join
or leave at any token, and no sequence changes the numbers of another: a request gives the same text alone and in a
batch.

The exception are mixtures of experts: they group the tokens of all sequences by expert, so the last bits depend on the
others (a difference of 2e-6 in float32).

This requires matrix products whose rows do not depend on the number of rows. On CPUs a batch is padded to a number of
rows that gives equal rows, which `row_counts.py` finds by trying. Short prompts are read together up to the largest
such number, and longer ones alone. On GPUs a step is padded to one fixed number of rows, where additional rows cost
almost nothing, and each prompt is read alone.

transformers supports custom attention functions and caches: see
https://huggingface.co/docs/transformers/attention_interface. A model that declares attention which is not honoured here
raises `UnsupportedAttention`; the probe then chooses the generic runner.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import accumulate, chain
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, Cache, PreTrainedModel
from transformers.masking_utils import causal_mask_function

from inference.pipelines.causal_lm.model_runner import ModelRunner, SequenceCache
from inference.pipelines.causal_lm.row_counts import equal_row_counts

_ATTENTION = "per_sequence"
"""The name of `attend` in transformers' attention interface."""

Attended = list[tuple[slice, torch.Tensor, torch.Tensor]]
"""For each sequence: its rows, and the keys and values of all its tokens, each [1, heads, tokens, size]."""


class UnsupportedAttention(Exception):
    """The model declares attention that this module does not compute."""


class KVCache(SequenceCache):
    """The keys and values of one sequence: one pair per layer, each [1, heads, capacity, head size].

    Lower `length` to drop the tokens after it.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.length = 0
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def nbytes(self) -> int:
        return sum(keys.nbytes + values.nbytes for keys, values in self._layers.values())

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Store the keys and values of new tokens, [1, heads, tokens, head size]. Return those of all tokens so far."""
        if layer not in self._layers:
            self._layers[layer] = (self._room(keys), self._room(values))
        end = self.length + keys.shape[2]
        assert end <= self.capacity, "a token past the capacity"
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
        self.length = 0
        self._layers = {}

    def _room(self, like: torch.Tensor) -> torch.Tensor:
        batch, heads, _, size = like.shape
        return like.new_empty(batch, heads, self.capacity, size)


class _BatchCache(Cache):
    """Replaces the model's cache: passes the rows of each sequence to its own cache."""

    def __init__(self, caches: Sequence[KVCache], rows: Sequence[slice]) -> None:
        super().__init__(layers=[])
        self._caches = caches
        self._rows = rows

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any) -> Any:
        """Return the keys and values of each sequence and None, in place of keys and values. `attend` expects this."""
        attended: Attended = [
            (rows, *cache.append(layer_idx, key_states[:, :, rows], value_states[:, :, rows]))
            for rows, cache in zip(self._rows, self._caches, strict=True)
        ]
        return attended, None

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self._caches[0].length


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    sequences: Attended,
    _values: None,
    attention_mask: int | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **declared: Any,
) -> tuple[torch.Tensor, None]:
    """Compute the attention of each row of `query` [1, heads, rows, size] over its own sequence.

    `attention_mask` is the result of `visible_window`: how many tokens each token sees, None for all. `s_aux` are
    attention sinks [heads]. Return [1, rows, heads, size]. Rows that pad the batch stay zero.
    """
    check_declared(attention_mask, sliding_window, declared)
    _, heads, num_rows, _ = query.shape
    plain = softcap is None and s_aux is None
    out = query.new_zeros(1, num_rows, heads, sequences[0][2].shape[3])
    for rows, keys, values in sequences:
        new = rows.stop - rows.start
        mask = _mask(new, keys.shape[2], attention_mask or keys.shape[2], query.device, may_be_implied=plain)
        if plain:
            attended = scaled_dot_product_attention(
                query[:, :, rows],
                keys,
                values,
                attn_mask=mask,
                is_causal=mask is None and new > 1,
                scale=scaling,
                enable_gqa=heads != keys.shape[1],
            )
        else:
            attended = _capped_attention(query[:, :, rows], keys, values, mask, scaling, softcap, s_aux)
        out[:, rows] = attended.transpose(1, 2)
    return out, None


def _capped_attention(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    """Compute attention with soft-capped scores (Gemma 2) or with sinks (gpt-oss), for one sequence.

    Sources: https://arxiv.org/abs/2408.00118, section 2, and https://arxiv.org/abs/2508.10925, section 2.2.
    """
    groups = query.shape[1] // keys.shape[1]
    keys, values = keys.repeat_interleave(groups, 1), values.repeat_interleave(groups, 1)
    scores = query @ keys.transpose(2, 3) * (query.shape[3] ** -0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    scores = scores.float() if mask is None else scores.float().masked_fill(~mask, -torch.inf)
    if sinks is not None:
        scores = torch.cat([scores, sinks.float().view(1, -1, 1, 1).expand(*scores.shape[:3], 1)], dim=3)
    weights = torch.softmax(scores, dim=3).to(values.dtype)
    return weights[..., : keys.shape[2]] @ values


_HARMLESS = frozenset(
    {"dropout", "position_ids", "use_cache", "output_attentions", "output_hidden_states", "output_router_logits"}
)
"""Keywords that do not change the attention: no dropout in evaluation, and positions are in queries and keys."""


def check_declared(window: int | None, sliding_window: int | None, declared: dict[str, Any]) -> None:
    """Raise UnsupportedAttention for keywords that are not honoured, or for a window that differs from the mask's."""
    unknown = [name for name, value in declared.items() if value is not None and name not in _HARMLESS]
    if declared.get("is_causal") is True:
        unknown.remove("is_causal")
    if unknown:
        raise UnsupportedAttention(f"attention with {', '.join(unknown)}")
    if sliding_window is not None and sliding_window != window:
        raise UnsupportedAttention(f"a window of {sliding_window} tokens and a mask for {window}")


def visible_window(mask_function: Callable[..., Any], local_size: int | None = None, **_: Any) -> int | None:
    """Return how many tokens each token sees, itself included; None for all. It takes the place of the model's mask.

    `mask_function` is transformers' description of a mask: from batch, head, query and key index to visible or not.
    Raise UnsupportedAttention if the mask is neither causal nor a causal window.
    """
    if mask_function is causal_mask_function and not local_size:
        return None
    window = local_size
    far = 2 * window + 1 if window else 2**20
    expected = {far: True, far + 1: False, 0: not window}
    if window:
        expected |= {far - window + 1: True, far - window: False, window: False, window + 2: True}
    zero = torch.tensor(0)
    visible = mask_function(zero, zero, torch.tensor(far), torch.tensor([*expected]))
    if visible.tolist() != [*expected.values()]:
        raise UnsupportedAttention("a mask that is neither causal nor a causal window")
    return window


def _mask(
    new: int, total: int, window: int, device: torch.device, *, may_be_implied: bool = True
) -> torch.Tensor | None:
    """Return the mask [new, total]: true for the token itself and for the `window - 1` tokens before it.

    Return None if no mask is needed or, where it `may_be_implied`, if torch's own causal mask is the same: that is
    faster.
    """
    if total <= window and (new == 1 or (new == total and may_be_implied)):
        return None
    positions = torch.arange(total - new, total, device=device)[:, None]
    visible = torch.arange(total, device=device)[None, :]
    return (visible <= positions) & (visible > positions - window)


AttentionInterface.register(_ATTENTION, attend)  # pyright: ignore[reportArgumentType]
AttentionMaskInterface.register(_ATTENTION, visible_window)  # pyright: ignore[reportArgumentType]


@contextmanager
def use_attention(model: PreTrainedModel, implementation: str) -> Generator[None]:
    """Let the text layers of `model` use another attention implementation for a while."""
    config: Any = model.config.get_text_config(decoder=True)
    own = config._attn_implementation
    config._attn_implementation = implementation
    try:
        yield
    finally:
        config._attn_implementation = own


class BatchedRunner(ModelRunner[KVCache]):
    """Runs a model with `attend` as its attention, on at most `max_num_seqs` sequences per step.

    Other users of the model, such as its own `generate`, keep its own attention.
    """

    reads_in_chunks = True

    def __init__(self, model: PreTrainedModel, max_num_seqs: int) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        on_cpu = self._device.type == "cpu"
        self.row_counts = equal_row_counts(model, max_num_seqs) if on_cpu else (max_num_seqs,)
        self.max_joint_tokens = self.row_counts[-1] if on_cpu else 1
        self.max_decode_seqs = max_num_seqs

    def new_cache(self, capacity: int) -> KVCache:
        return KVCache(capacity)

    def copy_prompt(self, cache: KVCache, source: KVCache, length: int) -> bool:
        cache.copy(source, length)
        return True

    @torch.inference_mode()
    def prefill(self, caches: Sequence[KVCache], pieces: Sequence[Sequence[int]]) -> torch.Tensor:
        ends = list(accumulate(map(len, pieces)))
        return self._forward(caches, pieces, keep=[end - 1 for end in ends])

    @torch.inference_mode()
    def decode(self, caches: Sequence[KVCache], tokens: Sequence[int]) -> torch.Tensor:
        return self._forward(caches, [[token] for token in tokens])

    @torch.inference_mode()
    def score(self, cache: KVCache, tokens: Sequence[int]) -> torch.Tensor:
        length = cache.length
        logits = self._forward([cache], [tokens])
        cache.length = length
        return logits

    def _forward(
        self,
        caches: Sequence[KVCache],
        pieces: Sequence[Sequence[int]],
        keep: Sequence[int] = (),
        attention: str = _ATTENTION,
        model_cache: Cache | None = None,
    ) -> torch.Tensor:
        """Append the pieces. Return the logits of the rows in `keep` (none: all) [rows, vocabulary], on the CPU."""
        tokens, positions = (
            [*chain(*pieces)],
            [
                position
                for cache, piece in zip(caches, pieces, strict=True)
                for position in range(cache.length, cache.length + len(piece))
            ],
        )
        ends = list(accumulate(map(len, pieces)))
        rows = [slice(end - len(piece), end) for piece, end in zip(pieces, ends, strict=True)]
        padding = [0] * (self.num_rows(len(tokens)) - len(tokens))
        kept = [*keep, *[0] * (self.num_rows(len(keep)) - len(keep))]
        with use_attention(self._model, attention):
            output = self._model(
                input_ids=torch.tensor([tokens + padding], device=self._device),
                position_ids=torch.tensor([positions + padding], device=self._device),
                past_key_values=_BatchCache(caches, rows) if model_cache is None else model_cache,
                use_cache=True,
                logits_to_keep=torch.tensor(kept, device=self._device) if keep else 0,
            )
        for cache, piece in zip(caches, pieces, strict=True):
            cache.length += len(piece)
        return output.logits[0, : len(keep) or len(tokens)].float().cpu()
