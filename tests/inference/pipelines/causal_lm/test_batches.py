"""Test batches of generated texts: scheduling, and the lifetime of KV caches."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import pytest

from inference.pipelines.causal_lm import CausalLM
from inference.pipelines.causal_lm.model_runner import SequenceCache
from inference.tasks import AskRequest, ChatAnswerRequest, CompleteRequest, SummarizeRequest
from inference.types import PartialText
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import CHAT, load, save_causal

LONG_SUMMARY = SummarizeRequest(text="".join(f"the quick brown fox {i} jumps over the lazy dog. " for i in range(250)))
COMPLETION = CompleteRequest(prompt="once upon", max_new_tokens=6, temperature=1.0, top_p=0.95, seed=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CausalLM:
    return load(save_causal(tmp_path_factory.mktemp("model"), "llama", chat=CHAT))


def num_filled_caches() -> int:
    """Return the number of caches that hold tokens."""
    caches = [item for item in gc.get_objects() if isinstance(item, SequenceCache)]
    return sum(cache.length > 0 for cache in caches)


def test_caches_of_finished_texts_are_freed_during_a_long_summary(model: CausalLM) -> None:
    batch = MemoryBatch.of(LONG_SUMMARY)
    num_caches: list[int] = []
    batch.on_yield = lambda: num_caches.append(num_filled_caches()) if batch.yield_points % 8 == 0 else None
    batch.run(model)
    assert len(batch.jobs[0].events) > 30
    assert 4 < max(num_caches) <= 8, "half of the sixteen sequences"


def test_the_cache_of_a_shared_prompt_is_kept_until_the_last_text_has_started(model: CausalLM) -> None:
    others = [replace(COMPLETION, prompt="the fox", max_new_tokens=40, seed=i) for i in range(14)]
    several = replace(COMPLETION, n=8, max_new_tokens=3)
    alone = run(model, several)[0]
    assert run(model, *others, several)[-1] == alone


def test_a_new_request_starts_at_once_during_a_long_summary(model: CausalLM) -> None:
    batch = MemoryBatch.of(LONG_SUMMARY, replace(LONG_SUMMARY, length="long"))
    late = MemoryJob(COMPLETION)
    first_word: list[int] = []

    def observe() -> None:
        if batch.yield_points == 60:
            batch.arrivals.append(late)
        if any(isinstance(event, PartialText) for event in late.events):
            first_word.append(batch.yield_points)

    batch.on_yield = observe
    batch.run(model)
    assert first_word[0] <= 64
    assert batch.yield_points > 200
    assert late.outcome == run(model, COMPLETION)[0]


def test_long_summaries_progress_at_the_same_rate(model: CausalLM) -> None:
    batch = MemoryBatch.of(LONG_SUMMARY, LONG_SUMMARY)
    progress: list[tuple[int, int]] = []
    batch.on_yield = lambda: progress.append((len(batch.jobs[0].events), len(batch.jobs[1].events)))
    batch.run(model)
    assert max(abs(one - other) for one, other in progress) <= 8
    assert batch.jobs[0].outcome == batch.jobs[1].outcome == run(model, LONG_SUMMARY)[0]


def test_all_generating_requests_share_one_batch_key() -> None:
    requests = [COMPLETION, LONG_SUMMARY, ChatAnswerRequest(question="why?"), AskRequest(question="why?", context="so")]
    assert len({request.batch_key for request in requests}) == 1


def test_short_prompts_are_read_together(model: CausalLM) -> None:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    prefill, counts = runner.prefill, list[int]()

    def counting(caches: list[Any], pieces: list[list[int]]) -> Any:
        counts.append(len(pieces))
        return prefill(caches, pieces)

    runner.prefill = counting
    run(model, *(replace(COMPLETION, prompt=prompt) for prompt in ("once", "upon", "a time")))
    runner.prefill = prefill
    assert counts == [3]


def test_a_prompt_that_does_not_fit_beside_others_is_read_alone(model: CausalLM) -> None:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    prefill, lengths = runner.prefill, list[list[int]]()

    def recording(caches: list[Any], pieces: list[list[int]]) -> Any:
        lengths.append([len(piece) for piece in pieces])
        return prefill(caches, pieces)

    runner.prefill = recording
    run(model, *(replace(COMPLETION, prompt=prompt) for prompt in ("once", "the fox jumps " * 60, "upon")))
    runner.prefill = prefill
    assert len(lengths) > 1
    assert all(len(pieces) == 1 for pieces in lengths if sum(pieces) > runner.max_joint_tokens)
