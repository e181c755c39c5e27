"""The probe of a loaded model: which runner gives the numbers that the model's own code gives.

Models declare what they are in many ways, and none of them is complete. So a few tokens are run by `BatchedRunner` and
compared with the model's own forward pass, without a cache and with plain ("eager") attention. Whatever differs or
fails is run by `GenericRunner`. Its verdict is kept with the model's commit, and the next load does not probe again.
After a change here or in a runner, raise `_PROBE_VERSION` in inference/backends/verdicts.py.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Any

import torch
from transformers import PreTrainedModel

from inference.pipelines.causal_lm.batched_attention import batched_runners
from inference.pipelines.causal_lm.batched_runner import BatchedRunner, use_attention
from inference.pipelines.causal_lm.generic_runner import GenericRunner
from inference.pipelines.causal_lm.model_runner import ModelRunner
from inference.pipelines.peak_memory import PeakMemory
from inference.types.errors import ModelUnavailable

log = logging.getLogger(__name__)

_BATCHED = ("batched", "batched, attention in a loop")
"""The kinds of verdicts for `batched_runners`, in the same order."""

_GENERIC: dict[str, dict[str, bool]] = {
    "generic": {},
    "generic, prompts as a whole": {"reads_in_chunks": False},
    "generic, without a cache": {"use_cache": False},
}
"""The other kinds of verdicts, fastest first, and the options of `GenericRunner` for each."""

_NUM_TOKENS = 16
_MAX_DIFFERENCE = {torch.float32: 2e-3, torch.float16: 0.05, torch.bfloat16: 0.15}
"""How far logits may be from the reference, as a share of their spread. Other attention differs by more than this.

Half precision rounds the inputs of every layer, and rounds differently in other kernels. Routers then choose other
experts where two of them are nearly equal, so a quarter of the tokens may differ more.
"""
_MAX_MEDIAN_DIFFERENCE = 0.25
"""The same for the model's own cache, for half of the tokens.

Recurrent layers sum in another order token by token than for a whole prompt. Numbers of a wrong cache have nothing to
do with the right ones: they differ by 0.3 to 1.
"""
_MAX_PIECE_DIFFERENCE = 0.05
"""The same for several tokens at once, which some caches take for the beginning of a text."""

_LENGTH_DEPENDENT = {"dynamic", "longrope"}
"""Rotary positions of these types change for a whole batch when one of its sequences becomes long.

Such models are not batched, and read each prompt as a whole.
"""


Optimize = Callable[[PreTrainedModel], None]


def choose_runner(
    model: PreTrainedModel,
    tokens: Sequence[int],
    max_num_seqs: int,
    verdict: str,
    optimize: Optimize | None = None,
) -> tuple[Any, str]:
    """Return the runner for `model` and the verdict. An earlier `verdict` is followed without a probe.

    A verdict names the runner and the memory that each token takes, in its cache and while it is processed:
    "batched: 4096 + 20480 bytes a token". `tokens` are some tokens of plain text. `optimize` changes the layers of the
    model; the runner is compared with the numbers from before. Raise ModelUnavailable if the model's own cache does not
    give the numbers of its own forward pass.
    """
    tokens = [tokens[i % len(tokens)] for i in range(_NUM_TOKENS)]
    kind, *memory = _parse(verdict)
    if kind in (*_GENERIC, *_BATCHED):
        if optimize:
            _apply(optimize, model, tokens)
        runner: ModelRunner[Any] = (
            GenericRunner(model, **_GENERIC[kind]) if kind in _GENERIC else _batched(model, max_num_seqs)[kind]
        )
    else:
        kind, runner = _probe(model, tokens, max_num_seqs, optimize)
        memory = _memory(runner, tokens)
    runner.bytes_per_token, runner.activation_bytes = memory
    return runner, f"{kind}: {memory[0]} + {memory[1]} bytes a token"


def _apply(optimize: Optimize, model: PreTrainedModel, tokens: list[int]) -> torch.Tensor:
    """Change the layers of the model, and return its logits after that, as `_own_logits` does.

    Layers whose weights the model reads by itself get their final layout by this run.
    """
    optimize(model)
    return _own_logits(model, tokens)


def _parse(verdict: str) -> tuple[str, int, int]:
    """Return the kind and the two numbers of bytes; nothing if there is no verdict."""
    match = re.fullmatch(r"(.+): (\d+) \+ (\d+) bytes a token", verdict)
    return (match[1], int(match[2]), int(match[3])) if match else ("", 0, 0)


def _memory(runner: ModelRunner[Any], tokens: list[int]) -> list[int]:
    """Return by how many bytes a cache grows with each token, and how many a token takes while it is processed.

    Both calls compute more rows than are padded. They have many short prompts, which fit in every model's window.
    """
    short, long = _NUM_TOKENS // 2, _NUM_TOKENS
    count = max(runner.row_counts, default=0) // short + 1
    sizes: list[tuple[int, int]] = []
    for length in (short, long):
        caches = [runner.new_cache(length) for _ in range(count)]
        with PeakMemory() as memory:
            runner.prefill(caches, [tokens[:length]] * count)
        nbytes = sum(cache.nbytes for cache in caches)
        sizes.append((nbytes, memory.peak - nbytes))
        for cache in caches:
            cache.clear()
    return [max(0, more - less) // (count * (long - short)) for less, more in zip(*sizes, strict=True)]


def _probe(
    model: PreTrainedModel, tokens: list[int], max_num_seqs: int, optimize: Optimize | None
) -> tuple[str, ModelRunner[Any]]:
    sequences = tokens, tokens[::-1][: _NUM_TOKENS - 5]
    expected = [_own_logits(model, sequence) for sequence in sequences]
    own = _apply(optimize, model, tokens) if optimize else expected[0]
    changes_with_length = _changes_with_length(model)
    if model.is_backend_compatible() and not changes_with_length:
        for kind, batched in _batched(model, max_num_seqs).items():
            differences = _differences(batched, sequences, expected)
            if differences and _largest([*chain(*differences)], model.dtype) <= _MAX_DIFFERENCE[model.dtype]:
                return kind, batched
    if not torch.equal(_own_logits(model, tokens), own):
        raise ModelUnavailable(
            "This kind of model writes another text each time, even with the same seed. "
            "The bot's operator has to pick another model."
        )
    for kind, options in _GENERIC.items():
        if changes_with_length and not options:
            continue
        generic = GenericRunner(model, **options)
        differences = _differences(generic, sequences, expected)
        if differences and _is_right(*differences, dtype=model.dtype):
            return kind, generic
    raise ModelUnavailable(
        "The installed version of transformers gives wrong numbers for this kind of model. "
        "The bot's operator has to pick another model."
    )


def _batched(model: PreTrainedModel, max_num_seqs: int) -> dict[str, BatchedRunner]:
    """Return the runners that decode sequences together, by the kind of their verdict."""
    return dict(zip(_BATCHED, batched_runners(model, max_num_seqs), strict=False))


def _changes_with_length(model: PreTrainedModel) -> bool:
    """Return whether the rotary positions of early tokens change when a text becomes long."""
    parameters: Any = getattr(model.config.get_text_config(decoder=True), "rope_parameters", None) or {}
    return bool(_LENGTH_DEPENDENT & {str(part.get("rope_type")) for part in _mappings(parameters)})


def _mappings(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the mapping and those inside it: rotary parameters are sometimes given for each type of layer."""
    yield value
    for part in value.values():
        if isinstance(part, Mapping):
            yield from _mappings(part)


@torch.inference_mode()
def _own_logits(model: Any, tokens: Sequence[int]) -> torch.Tensor:
    """Return the logits after each token [tokens, vocabulary], from one forward pass with eager attention."""
    ids = torch.tensor([tokens], device=model.device)
    with use_attention(model, "eager"):
        return model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[0].float().cpu()


def _is_right(steps: list[float], *pieces: list[float], dtype: torch.dtype) -> bool:
    """Return whether a model's own cache gives its numbers, step by step and for several tokens at once."""
    allowed = max(2 * median(steps), _MAX_PIECE_DIFFERENCE if dtype == torch.float32 else _MAX_DIFFERENCE[dtype])
    return median(steps) <= _MAX_MEDIAN_DIFFERENCE and all(median(piece) <= allowed for piece in pieces)


def _largest(differences: list[float], dtype: torch.dtype) -> float:
    """Return the largest difference that counts."""
    counted = len(differences) if dtype == torch.float32 else len(differences) * 3 // 4
    return sorted(differences)[counted - 1]


def _distance(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Return the difference of two vectors of logits as a share of their spread; infinity if one is not finite."""
    distance = float((ours - theirs).norm() / (theirs - theirs.mean()).norm())
    return float("inf") if math.isnan(distance) else distance


def _differences(
    runner: ModelRunner[Any], sequences: Sequence[Sequence[int]], expected: Sequence[torch.Tensor]
) -> list[list[float]]:
    """Return how far the runner's logits are from `expected`, by kind of call; an empty list if the runner fails."""
    try:
        groups = _compared(runner, sequences, expected)
    except Exception:
        log.debug("%s can't run this model", type(runner).__name__, exc_info=True)
        return []
    return [[_distance(ours, theirs) for ours, theirs in pairs] for pairs in groups]


def _compared(
    runner: ModelRunner[Any], sequences: Sequence[Sequence[int]], expected: Sequence[torch.Tensor]
) -> list[list[tuple[torch.Tensor, torch.Tensor]]]:
    """Return pairs of logits [vocabulary], ours and the expected ones, for each kind of call.

    They are the prompts and steps of two sequences, the scores of a continuation, and another piece of a prompt with
    the steps after it.
    """
    (first, second), (first_expected, second_expected) = sequences, expected
    caches = [runner.new_cache(len(sequence)) for sequence in sequences]
    at = [len(first) // 2, len(second) // 2]
    steps = [
        (runner.prefill([cache], [sequence[:start]])[0], logits[start - 1])
        for cache, sequence, logits, start in zip(caches, sequences, expected, at, strict=True)
    ]
    scores = list(zip(runner.score(caches[0], first[at[0] : at[0] + 3]), first_expected[at[0] :], strict=False))
    for _ in range(3):
        logits = _decode(runner, caches, [first[at[0]], second[at[1]]])
        steps += [(logits[0], first_expected[at[0]]), (logits[1], second_expected[at[1]])]
        at = [position + 1 for position in at]
    if not runner.reads_in_chunks:
        return [steps, scores]
    piece = [(runner.prefill(caches[:1], [first[at[0] : -1]])[0], first_expected[-2])]
    piece.append((_decode(runner, caches[:1], first[-1:])[0], first_expected[-1]))
    return [steps, scores, piece]


def _decode(runner: ModelRunner[Any], caches: Sequence[Any], tokens: Sequence[int]) -> torch.Tensor:
    """Append a token to each sequence, as many at once as the runner takes. Return the logits of each."""
    if runner.max_decode_seqs > 1:
        return runner.decode(caches, tokens)
    return torch.cat([runner.decode([cache], [token]) for cache, token in zip(caches, tokens, strict=True)])
