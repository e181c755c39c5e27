"""Test that keys and values are counted in the memory budget, and that long prompts are processed in pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.pipelines.causal_lm import batched_runner
from inference.pipelines.causal_lm import generation as generation_module
from inference.pipelines.causal_lm.batched_runner import KVCache
from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.peak_memory import PeakMemory
from inference.tasks import CompleteRequest, Completion
from inference.types import PartialText
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import ARCHITECTURES, RUNNERS, load, save_causal

SHORT = CompleteRequest(prompt="once upon", max_new_tokens=8, temperature=1.0, seed=1)
LONG = replace(SHORT, prompt="the quick brown fox jumps over the lazy dog " * 60)


@pytest.fixture(scope="module", params=RUNNERS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CausalLM:
    """Return a model that the runner in the parameter runs, with a window of 1,024 tokens."""
    return load(save_causal(tmp_path_factory.mktemp("model"), RUNNERS[request.param], window=1024))


def cache_bytes(model: CausalLM, capacity: int) -> int:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    return runner.bytes_per_token * capacity


def activation_bytes(model: CausalLM, tokens: int) -> int:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    return runner.activation_bytes * runner.num_rows(tokens)


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "lfm2"])
def test_the_expected_size_of_keys_and_values_is_their_size(
    architecture: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = load(save_causal(tmp_path_factory.mktemp(architecture), architecture))
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    cache: KVCache = runner.new_cache(64)
    runner.prefill([cache], [[5, 6, 7]])
    assert cache.nbytes == cache_bytes(model, 64)


def test_the_memory_of_texts_is_reserved_while_they_run_and_given_back(model: CausalLM) -> None:
    batch = MemoryBatch.of(SHORT, replace(SHORT, seed=2))
    batch.run(model)
    assert max(batch.reserved) >= 2 * cache_bytes(model, 10)
    assert batch.reserved[-1] == 0


def test_texts_that_do_not_fit_together_run_one_after_another(model: CausalLM) -> None:
    requests = [replace(SHORT, seed=seed) for seed in range(3)]
    alone = [run(model, request)[0] for request in requests]
    probe = MemoryBatch.of(SHORT)
    probe.run(model)
    batch = MemoryBatch.of(*requests)
    batch.memory = max(probe.reserved)
    batch.run(model)
    assert [job.outcome for job in batch.jobs] == alone
    assert max(batch.reserved) == max(probe.reserved)


def test_a_text_that_can_never_fit_is_refused_and_the_others_are_written(model: CausalLM) -> None:
    batch = MemoryBatch.of(LONG, SHORT)
    batch.memory = cache_bytes(model, 100) + activation_bytes(model, 20)
    batch.run(model)
    refused, written = (job.outcome for job in batch.jobs)
    assert isinstance(refused, InvalidRequest)
    assert "too long for the bot's memory" in refused.user_message
    assert written == run(model, SHORT)[0]


def test_a_text_that_does_not_fit_beside_a_longer_batch_waits_for_its_end(model: CausalLM) -> None:
    batch = MemoryBatch.of(LONG, SHORT)
    long, short = batch.jobs
    batch.runs_inside = True
    batch.memory = cache_bytes(model, 100) + activation_bytes(model, 20)
    batch.run(model)
    assert batch.put_off_jobs == [long]
    assert long.outcome is None
    assert short.outcome == run(model, SHORT)[0]


def test_what_a_prompt_takes_while_it_is_processed_is_forecast(model: CausalLM) -> None:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    for length in (100, 400):
        cache = runner.new_cache(length)
        with PeakMemory() as memory:
            runner.prefill([cache], [[*range(3, 3 + 50)] * (length // 50)])
        forecast = cache_bytes(model, length) + activation_bytes(model, length)
        assert 0.7 * memory.peak < forecast < 1.3 * memory.peak


@pytest.mark.parametrize("row_counts", [(16,), (16, 32, 64, 128)])
def test_padded_rows_do_not_hide_what_a_token_takes(
    row_counts: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batched_runner, "equal_row_counts", lambda *_: row_counts)
    model = load(save_causal(tmp_path, "gpt2"))
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    for length, rows in ((13, 16), (row_counts[-1] - 1, row_counts[-1]), (300, 300)):
        cache = runner.new_cache(length)
        with PeakMemory() as memory:
            runner.prefill([cache], [[7] * length])
        assert activation_bytes(model, length) == rows * runner.activation_bytes
        assert 0.7 * memory.peak < cache.nbytes + activation_bytes(model, length) < 1.4 * memory.peak


def test_the_rows_that_pad_a_prompt_are_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_runner, "equal_row_counts", lambda *_: (128,))
    model = load(save_causal(tmp_path, "gpt2"))
    batch = MemoryBatch.of(SHORT)
    batch.run(model)
    assert max(batch.reserved) > activation_bytes(model, 128)


def test_a_long_prompt_gives_the_same_text_alone_and_beside_others(model: CausalLM) -> None:
    alone = run(model, LONG)[0]
    assert isinstance(alone, Completion)
    others = [replace(SHORT, seed=seed, max_new_tokens=30) for seed in range(4)]
    assert run(model, *others, LONG)[-1] == alone
    assert run(model, replace(LONG, n=3))[0] == replace(alone, choices=run(model, replace(LONG, n=3))[0].choices)  # type: ignore[union-attr]


def test_others_write_between_the_pieces_of_a_long_prompt(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "_MAX_PREFILL_TOKENS", 32)
    batch = MemoryBatch.of(replace(SHORT, max_new_tokens=60), LONG)
    writer, reader = batch.jobs
    written_before_first: list[int] = []

    def observe() -> None:
        if not any(isinstance(event, PartialText) for event in reader.events):
            written_before_first.append(sum(isinstance(event, PartialText) for event in writer.events))

    batch.on_yield = observe
    batch.run(model)
    assert max(written_before_first) >= 10


def test_a_short_prompt_is_not_kept_waiting_by_a_long_one(model: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "_MAX_PREFILL_TOKENS", 32)
    batch = MemoryBatch.of(LONG)
    late = MemoryJob(SHORT)

    def arrive() -> None:
        if batch.yield_points == 2:
            batch.arrivals.append(late)

    finished_first: list[bool] = []
    batch.on_yield = lambda: (arrive(), finished_first.append(late.outcome is not None and not batch.jobs[0].outcome))
    batch.run(model)
    assert any(finished_first)
