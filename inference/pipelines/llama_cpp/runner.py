"""Decoding by llama.cpp: many sequences together, each with the numbers that it has alone.

A context of llama.cpp reserves memory for a fixed number of sequences of equal capacity. So there are several contexts,
each for a few sequences of similar capacity. In a context each sequence has a buffer of its own, and the products of
quantized weights do not depend on the number of rows, so that a sequence does not change the numbers of another.
`probe.py` checks that for each model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inference.pipelines.causal_lm.model_runner import ModelRunner, SequenceCache
from inference.pipelines.llama_cpp.library import MAX_OUTPUTS, Context, Model

_SMALLEST_CAPACITY = 256
"""llama.cpp reserves multiples of it."""

_TOKENS_PER_CONTEXT = 2048
"""Tokens that a context has room for: eight short sequences, or one long one, which may be longer."""


class LlamaCache(SequenceCache):
    """A sequence. It has a place in a context from its first token until `clear`."""

    def __init__(self, capacity: int, bytes_per_token: int) -> None:
        self.capacity = capacity
        self.length = 0
        self.context: SharedContext | None = None
        self._bytes_per_token = bytes_per_token

    @property
    def nbytes(self) -> int:
        return self.capacity * self._bytes_per_token if self.context else 0

    def clear(self) -> None:
        self.length = 0
        if self.context:
            self.context.remove(self)
            self.context = None


class SharedContext:
    """A context of llama.cpp with the sequences in its places.

    They have the first places, since llama.cpp decodes only neighbours together. The context frees its memory when the
    last one leaves.
    """

    def __init__(self, model: Model, capacity: int, num_threads: int) -> None:
        self.num_places = max(1, _TOKENS_PER_CONTEXT // capacity)
        self._context = Context(model, capacity, self.num_places, num_threads)
        self._members: list[LlamaCache] = []

    @property
    def num_members(self) -> int:
        return len(self._members)

    def add(self, cache: LlamaCache) -> None:
        """Give the sequence a place. There must be a free one."""
        assert self.num_members < self.num_places, "a sequence too many"
        self._members.append(cache)
        cache.context = self

    def remove(self, cache: LlamaCache) -> None:
        """Free the place of the sequence, and move the last one there."""
        place, last = self._place(cache), self.num_members - 1
        if place != last:
            self._context.restore(place, self._context.state(last))
        self._context.truncate(last, 0)
        self._members[place] = self._members[last]
        self._members.pop()
        if not self._members:
            self._context.free()

    def append(self, cache: LlamaCache, tokens: Sequence[int], num_outputs: int) -> torch.Tensor:
        """Append tokens to one sequence. Return the logits after the last `num_outputs` [num_outputs, vocabulary]."""
        assert cache.length + len(tokens) <= cache.capacity, "a token past the capacity"
        place = self._place(cache)
        rows = [(place, position, token) for position, token in enumerate(tokens, cache.length)]
        logits = self._context.decode(rows, num_outputs)
        cache.length += len(tokens)
        return logits

    def step(self, caches: Sequence[LlamaCache], tokens: Sequence[int]) -> torch.Tensor:
        """Append one token to each sequence. Return the logits after it [sequences, vocabulary]."""
        assert all(cache.length < cache.capacity for cache in caches), "a token past the capacity"
        rows = [(self._place(cache), cache.length, token) for cache, token in zip(caches, tokens, strict=True)]
        order = sorted(range(len(rows)), key=rows.__getitem__)
        sorted_logits = self._context.decode([rows[index] for index in order], len(rows))
        for cache in caches:
            cache.length += 1
        return sorted_logits[torch.tensor(order).argsort()]

    def copy(self, cache: LlamaCache, source: LlamaCache, length: int) -> None:
        """Let `cache` be the first `length` tokens of `source`, from a context with as many places."""
        assert source.context
        state = source.context._context.state(source.context._place(source))
        self._context.restore(self._place(cache), state)
        cache.length = source.length
        self.truncate(cache, length)

    def truncate(self, cache: LlamaCache, length: int) -> None:
        """Forget the tokens of the sequence from position `length` on."""
        if cache.length > length:
            self._context.truncate(self._place(cache), length)
            cache.length = length

    def _place(self, cache: LlamaCache) -> int:
        return self._members.index(cache)


class LlamaRunner(ModelRunner[LlamaCache]):
    """Runs a model by llama.cpp, on at most `max_decode_seqs` sequences per step."""

    reads_in_chunks = True
    max_joint_tokens = 1

    def __init__(self, model: Model, max_num_seqs: int, num_threads: int) -> None:
        self._model = model
        self._num_threads = num_threads
        self._contexts: list[tuple[int, SharedContext]] = []
        """The contexts in use, each with the capacity of its sequences."""
        self.max_decode_seqs = max_num_seqs
        self.bytes_per_token, self._compute_bytes = _measure(model, num_threads)

    def new_cache(self, capacity: int) -> LlamaCache:
        """Return the cache of a new sequence. Its capacity is rounded up, so that similar ones share a context."""
        rounded = _SMALLEST_CAPACITY
        while rounded < capacity:
            rounded *= 2
        if rounded > _TOKENS_PER_CONTEXT:  # it does not share one
            rounded = capacity + -capacity % _SMALLEST_CAPACITY
        return LlamaCache(rounded, self.bytes_per_token)

    def cache_bytes(self, caches: Sequence[LlamaCache]) -> int:
        return sum(self._bytes_of(capacity, caches) for capacity in {cache.capacity for cache in caches})

    def copy_prompt(self, cache: LlamaCache, source: LlamaCache, length: int) -> bool:
        if cache.capacity != source.capacity:
            return False
        self._in_context(cache).copy(cache, source, length)
        return True

    def prefill(self, caches: Sequence[LlamaCache], pieces: Sequence[Sequence[int]]) -> torch.Tensor:
        return torch.cat(
            [self._in_context(cache).append(cache, piece, 1) for cache, piece in zip(caches, pieces, strict=True)]
        )

    def decode(self, caches: Sequence[LlamaCache], tokens: Sequence[int]) -> torch.Tensor:
        logits = torch.empty(len(caches), self._model.vocabulary_size)
        for context in {cache.context: None for cache in caches}:
            assert context
            rows = [row for row, cache in enumerate(caches) if cache.context is context]
            logits[rows] = context.step([caches[row] for row in rows], [tokens[row] for row in rows])
        return logits

    def score(self, cache: LlamaCache, tokens: Sequence[int]) -> torch.Tensor:
        context, length = self._in_context(cache), cache.length
        pieces = [tokens[start : start + MAX_OUTPUTS] for start in range(0, len(tokens), MAX_OUTPUTS)]
        logits = torch.cat([context.append(cache, piece, len(piece)) for piece in pieces])
        context.truncate(cache, length)
        return logits

    def _in_context(self, cache: LlamaCache) -> SharedContext:
        """Return the context of the sequence, after giving it a place in one unless it has one."""
        if cache.context:
            return cache.context
        self._contexts = [(capacity, context) for capacity, context in self._contexts if context.num_members]
        suitable = [context for capacity, context in self._contexts if capacity == cache.capacity]
        context = next((context for context in suitable if context.num_members < context.num_places), None)
        if not context:
            context = SharedContext(self._model, cache.capacity, self._num_threads)
            self._contexts.append((cache.capacity, context))
        context.add(cache)
        return context

    def _bytes_of(self, capacity: int, caches: Sequence[LlamaCache]) -> int:
        """Return the memory of the contexts that the caches of this capacity need."""
        num_places = max(1, _TOKENS_PER_CONTEXT // capacity)
        contexts = {cache.context for cache in caches if cache.capacity == capacity and cache.context}
        num_new = sum(cache.capacity == capacity and not cache.context for cache in caches)
        num_free = sum(context.num_places - context.num_members for context in contexts)
        num_contexts = len(contexts) + -(-max(0, num_new - num_free) // num_places)
        return num_contexts * (num_places * capacity * self.bytes_per_token + self._compute_bytes)


def _measure(model: Model, num_threads: int) -> tuple[int, int]:
    """Return by how many bytes the state of a sequence grows with each token, and what a context computes with."""
    context = Context(model, _SMALLEST_CAPACITY, 1, num_threads)
    sizes: list[int] = []
    for start in (0, 8):
        context.decode([(0, position, 0) for position in range(start, start + 8)], 1)
        sizes.append(len(context.state(0)))
    return (sizes[1] - sizes[0]) // 8, context.compute_bytes
