"""Test batches of generated texts: scheduling, and the lifetime of KV caches."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from inference.pipelines.causal_lm.batched_runner import BatchedRunner, KVCache
from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.causal_lm.model_runner import SequenceCache
from inference.pipelines.causal_lm.pipeline import CausalPipeline
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.weights import read_model
from inference.tasks import (
    AskRequest,
    ChatAnswerRequest,
    CompleteRequest,
    FillRequest,
    SentimentRequest,
    SummarizeRequest,
)
from inference.types import ModelSpec, PartialText
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import CHAT, load, save_causal

LONG_SUMMARY = SummarizeRequest(text="".join(f"the quick brown fox {i} jumps over the lazy dog. " for i in range(250)))
CPU = Placement(torch.device("cpu"), torch.float32)
COMPLETION = CompleteRequest(prompt="once upon", max_new_tokens=6, temperature=1.0, top_p=0.95, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_causal(tmp_path_factory.mktemp("model"), "llama", chat=CHAT)


@pytest.fixture(scope="module")
def model(folder: Path) -> CausalLM:
    return load(folder)


class RecordingRunner(BatchedRunner):
    """Records its caches, and the lengths of the pieces in each call of `prefill`. It may run out of memory."""

    def __init__(self, model: PreTrainedModel, max_num_seqs: int) -> None:
        super().__init__(model, max_num_seqs)
        self.caches: list[KVCache] = []
        self.prefilled: list[list[int]] = []
        self.steps_left = -1

    def new_cache(self, capacity: int) -> KVCache:
        self.caches.append(super().new_cache(capacity))
        return self.caches[-1]

    def prefill(self, caches: Sequence[KVCache], pieces: Sequence[Sequence[int]]) -> torch.Tensor:
        self.prefilled.append([len(piece) for piece in pieces])
        return super().prefill(caches, pieces)

    def decode(self, caches: Sequence[KVCache], tokens: Sequence[int]) -> torch.Tensor:
        if not self.steps_left:
            raise torch.OutOfMemoryError("no room")
        self.steps_left -= 1
        return super().decode(caches, tokens)


class RecordedTexts(CausalPipeline):
    """A model on a runner that records."""

    def __init__(self, runner: RecordingRunner, tokenizer: Tokenizer) -> None:
        super().__init__(runner, tokenizer, 256, {1})
        self.runner = runner

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(RecordingRunner(read_model(AutoModelForCausalLM, folder, placement), 16), Tokenizer(folder))


@pytest.fixture
def recorded(folder: Path) -> RecordedTexts:
    return RecordedTexts.load(ModelSpec(name="tiny", task="complete", repo=str(folder)), folder, CPU)


@pytest.fixture
def runner(recorded: RecordedTexts) -> RecordingRunner:
    return recorded.runner


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


def test_short_prompts_are_read_together(recorded: CausalPipeline, runner: RecordingRunner) -> None:
    run(recorded, *(replace(COMPLETION, prompt=prompt) for prompt in ("once", "upon", "a time")))
    assert [len(pieces) for pieces in runner.prefilled] == [3]


def test_a_prompt_that_does_not_fit_beside_others_is_read_alone(
    recorded: CausalPipeline, runner: RecordingRunner
) -> None:
    run(recorded, *(replace(COMPLETION, prompt=prompt) for prompt in ("once", "the fox jumps " * 60, "upon")))
    assert len(runner.prefilled) > 1
    assert all(len(pieces) == 1 for pieces in runner.prefilled if sum(pieces) > runner.max_joint_tokens)


def test_a_batch_whose_callers_have_all_left_frees_its_memory(
    recorded: CausalPipeline, runner: RecordingRunner
) -> None:
    batch = MemoryBatch.of(COMPLETION, replace(COMPLETION, prompt="the fox", n=3))

    def leave() -> None:
        if batch.yield_points == 4:
            assert any(cache.nbytes for cache in runner.caches)
            for job in batch.jobs:
                job.cancel()

    batch.on_yield = leave
    batch.run(recorded)
    assert not any(cache.nbytes for cache in runner.caches)


def test_a_text_that_was_kept_to_be_copied_is_freed_when_its_caller_leaves(
    recorded: CausalPipeline, runner: RecordingRunner
) -> None:
    others = [replace(COMPLETION, prompt="the fox", max_new_tokens=40, seed=i) for i in range(14)]
    batch = MemoryBatch.of(*others, replace(COMPLETION, n=8, max_new_tokens=3))
    leaver = batch.jobs[-1]
    kept: list[int] = []

    def leave() -> None:
        if leaver.tokens == 6 and not leaver.cancelled:
            kept.append(sum(cache.nbytes > 0 for cache in runner.caches))
            leaver.cancel()

    batch.on_yield = leave
    batch.run(recorded)
    assert kept == [16], "two of them have finished"
    assert not any(cache.nbytes for cache in runner.caches)


def test_a_batch_that_runs_out_of_memory_frees_what_it_has(recorded: CausalPipeline, runner: RecordingRunner) -> None:
    runner.steps_left = 3
    with pytest.raises(torch.OutOfMemoryError):
        run(recorded, COMPLETION, replace(COMPLETION, prompt="the fox"))
    assert runner.caches
    assert not any(cache.nbytes for cache in runner.caches)


@pytest.mark.parametrize("request_", [FillRequest(text="the [MASK] fox jumps"), SentimentRequest(texts=("a dog",))])
def test_scores_leave_no_memory_behind(
    recorded: CausalPipeline, runner: RecordingRunner, request_: FillRequest | SentimentRequest
) -> None:
    run(recorded, request_)
    assert runner.caches
    assert not any(cache.nbytes for cache in runner.caches)
