"""Decoding with transformers' own caches, one sequence at a time: for every model that `generate` can run.

The model's own `generate` prepares the cache and the other inputs of each sequence (`custom_generate` is its documented
hook for that: https://huggingface.co/docs/transformers/generation_strategies#custom-generation-methods). The steps are
then those of its sampling loop, with the tokens chosen by the caller. So hybrid, linear and static caches, sliding
windows and positions are those that the model's authors wrote.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel
from transformers.utils import ModelOutput

from inference.pipelines.causal_lm.model_runner import ModelRunner, SequenceCache

_CACHE_NAMES = ("past_key_values", "cache_params", "state", "mems", "past_buckets_states")
"""Output names of caches in transformers."""

_NOT_FOR_THE_MODEL = ("logits_processor", "stopping_criteria", "generation_config")
"""What `generate` gives to its sampling loop besides the model's inputs."""


class TransformersCache(SequenceCache):
    """The tokens of one sequence and the model's inputs for its next step, its cache among them."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tokens: list[int] = []
        self.inputs: dict[str, Any] = {}
        self.outputs = ModelOutput()
        """The cache that the last step returned."""

    @property
    def length(self) -> int:  # type: ignore[override]
        return len(self.tokens)

    @property
    def nbytes(self) -> int:
        tensors = {tensor.data_ptr(): tensor.nbytes for tensor in _tensors(self.outputs)}
        return sum(tensors.values())

    def clear(self) -> None:
        self.tokens, self.inputs, self.outputs = [], {}, ModelOutput()

    def copy(self, source: TransformersCache) -> None:
        self.tokens = list(source.tokens)
        self.inputs, self.outputs = copy.deepcopy((source.inputs, source.outputs))


class GenericRunner(ModelRunner[TransformersCache]):
    """Runs a model as its `generate` does.

    With `reads_in_chunks`, its cache can go on with several tokens at once. Without `use_cache`, each step processes
    the whole sequence again.
    """

    max_decode_seqs = 1
    max_joint_tokens = 1

    def __init__(self, model: PreTrainedModel, *, reads_in_chunks: bool = True, use_cache: bool = True) -> None:
        self._model: Any = model
        self._use_cache = use_cache
        self.reads_in_chunks = reads_in_chunks

    def new_cache(self, capacity: int) -> TransformersCache:
        return TransformersCache(capacity)

    def copy_prompt(self, cache: TransformersCache, source: TransformersCache, length: int) -> bool:
        if source.length != length:
            return False  # such a cache has no way back to its beginning
        cache.copy(source)
        return True

    @torch.inference_mode()
    def prefill(self, caches: Sequence[TransformersCache], pieces: Sequence[Sequence[int]]) -> torch.Tensor:
        return torch.cat([self._forward(cache, piece)[-1:] for cache, piece in zip(caches, pieces, strict=True)])

    @torch.inference_mode()
    def decode(self, caches: Sequence[TransformersCache], tokens: Sequence[int]) -> torch.Tensor:
        return torch.cat([self._forward(cache, [token]) for cache, token in zip(caches, tokens, strict=True)])

    @torch.inference_mode()
    def score(self, cache: TransformersCache, tokens: Sequence[int]) -> torch.Tensor:
        continued = TransformersCache(cache.capacity)
        continued.copy(cache)
        if self.reads_in_chunks:
            return self._forward(continued, tokens, all_logits=True)
        return torch.cat([self._forward(continued, [token]) for token in tokens])

    def _forward(self, cache: TransformersCache, tokens: Sequence[int], *, all_logits: bool = False) -> torch.Tensor:
        """Append `tokens`. Return the logits after the last or after each of them [tokens, vocabulary], on the CPU."""
        first, new = not cache.tokens, len(tokens)
        cache.tokens += tokens
        ids = torch.tensor([cache.tokens], device=self._model.device)
        if first:
            cache.inputs = self._prepare(ids, cache.capacity)
        else:
            cache.inputs = self._model._update_model_kwargs_for_generation(
                cache.outputs, cache.inputs, num_new_tokens=new
            )
        inputs = self._model.prepare_inputs_for_generation(
            ids,
            next_sequence_length=None if first or not self._use_cache else new,
            is_first_iteration=first,
            **cache.inputs,
        )
        if all_logits and "logits_to_keep" in inputs:
            inputs["logits_to_keep"] = 0
        outputs = self._model(**inputs, return_dict=True)
        cache.outputs = ModelOutput({name: outputs[name] for name in _CACHE_NAMES if name in outputs})
        logits = outputs.logits[0] if all_logits else outputs.logits[0, -1:]
        return logits[-new:].float().cpu()

    def _prepare(self, ids: torch.Tensor, capacity: int) -> dict[str, Any]:
        """Return the inputs that `generate` prepares for a prompt: its cache, mask, positions and others."""
        prepared: dict[str, Any] = {}

        def capture(model: Any, input_ids: torch.Tensor, **inputs: Any) -> torch.Tensor:
            prepared.update({name: value for name, value in inputs.items() if name not in _NOT_FOR_THE_MODEL})
            return input_ids

        own = self._model.generation_config
        self._model.generation_config = GenerationConfig(pad_token_id=0)  # the model's own may ask for beams or samples
        try:
            self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                custom_generate=capture,
                max_new_tokens=max(1, capacity - ids.shape[1]),
                do_sample=False,
                num_beams=1,
                use_cache=self._use_cache,
            )
        finally:
            self._model.generation_config = own
        return prepared


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in a cache: those in its attributes, lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif hasattr(value, "__dict__"):
        yield from _tensors(vars(value))
