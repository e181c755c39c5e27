"""The check of a model that llama.cpp has loaded: that its numbers agree with each other, alone and in company."""

from __future__ import annotations

import logging

import torch

from inference.pipelines.llama_cpp.runner import LlamaRunner
from inference.pipelines.pipeline import RuntimeUnsuitable
from inference.types import ModelSpec
from inference.types.errors import Phrase

log = logging.getLogger(__name__)

_NUM_TOKENS = 12
_MAX_DIFFERENCE = 0.15
"""How far logits of steps may be from those of a whole text, as a share of their spread.

Quantized kernels round the inputs of every layer, and a wrong cache gives differences near 1.
"""


def check_numbers(runner: LlamaRunner, spec: ModelSpec, vocabulary_size: int) -> None:
    """Let the runner decode one sequence at a time if the numbers of one depend on the others.

    Raise RuntimeUnsuitable if the numbers after a step are not those after the whole text, or not finite.
    """
    tokens = [(7919 * index + 11) % vocabulary_size for index in range(_NUM_TOKENS)]
    cache = runner.new_cache(_NUM_TOKENS)
    whole = runner.prefill([cache], [tokens])[0]
    cache.clear()
    alone = _last_step(runner, tokens, 0)
    distance = float((alone - whole).norm() / (whole - whole.mean()).norm())
    if not distance <= _MAX_DIFFERENCE:  # also if it is not a number
        raise RuntimeUnsuitable(Phrase("it gives wrong numbers for this model"))
    if not all(torch.equal(_last_step(runner, tokens, others), alone) for others in (1, 4, runner.max_decode_seqs - 1)):
        log.info("%s: the numbers of a text depend on the other texts, so each step is done alone", spec.name)
        runner.max_decode_seqs = 1


def _last_step(runner: LlamaRunner, tokens: list[int], num_others: int) -> torch.Tensor:
    """Return the logits after the last token, decoded beside other sequences [vocabulary]."""
    caches = [runner.new_cache(_NUM_TOKENS) for _ in range(num_others + 1)]
    for index, cache in enumerate(caches):
        runner.prefill([cache], [tokens[:-1] if not index else tokens[: 1 + index % 8]])
    logits = runner.decode(caches, [tokens[-1]] * len(caches))[0]
    for cache in caches:
        cache.clear()
    return logits
