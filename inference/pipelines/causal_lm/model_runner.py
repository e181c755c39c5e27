"""What the decoding loop and the scorer need of a model: read prompts, generate tokens, score given words.

There are three implementations. `BatchedRunner` decodes many sequences together and runs the models that a probe found
equal with it (see `probe.py`). `GenericRunner` runs whatever transformers' `generate` runs, one sequence at a time.
`LlamaRunner` (in `inference/pipelines/llama_cpp`) runs GGUF files by llama.cpp.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import torch


class SequenceCache(ABC):
    """What a model keeps of one sequence, so that each token is read only once.

    `length` is in tokens, and at most `capacity`.
    """

    length: int
    capacity: int

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """The memory that the cache takes now."""

    @abstractmethod
    def clear(self) -> None:
        """Free the memory. The sequence is not used any more."""


C = TypeVar("C", bound=SequenceCache)


class ModelRunner(ABC, Generic[C]):
    """Runs one causal language model. It is used by one device thread only."""

    max_decode_seqs: int
    """Sequences in one call of `decode`."""

    reads_in_chunks: bool
    """Whether a prompt may be given to `prefill` in several pieces."""

    max_joint_tokens: int
    """Tokens that several sequences may have together in one call of `prefill`. One sequence alone may have more."""

    row_counts: tuple[int, ...] = ()
    """The tokens of a call are padded to the next of these numbers, ascending. More of them are not padded."""

    bytes_per_token: int = 0
    """How much a cache grows with each token."""

    activation_bytes: int = 0
    """How much each row of one call of `prefill` takes while it is processed, besides the cache."""

    @abstractmethod
    def new_cache(self, capacity: int) -> C:
        """Return the cache of a new sequence of at most `capacity` tokens."""

    def cache_bytes(self, caches: Sequence[C]) -> int:
        """Return how much memory the caches take together, once they are filled."""
        return sum(cache.capacity for cache in caches) * self.bytes_per_token

    def num_rows(self, num_tokens: int) -> int:
        """Return how many rows the model computes for so many tokens in one call."""
        return next((rows for rows in self.row_counts if rows >= num_tokens > 0), num_tokens)

    @abstractmethod
    def copy_prompt(self, cache: C, source: C, length: int) -> bool:
        """Copy the first `length` tokens of `source` to the empty `cache`. Return False if the model can't."""

    @abstractmethod
    def prefill(self, caches: Sequence[C], pieces: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append a piece of a prompt to each sequence. Return the logits after each [sequences, vocabulary]."""

    @abstractmethod
    def decode(self, caches: Sequence[C], tokens: Sequence[int]) -> torch.Tensor:
        """Append one token to each sequence. Return the logits after it [sequences, vocabulary]."""

    @abstractmethod
    def score(self, cache: C, tokens: Sequence[int]) -> torch.Tensor:
        """Return the logits after each of `tokens` [tokens, vocabulary], as a continuation that is not appended.

        The cache needs capacity for them.
        """
