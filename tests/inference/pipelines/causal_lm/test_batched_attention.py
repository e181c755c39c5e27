"""Test attention of all sequences in one call: the numbers of the loop, the text of transformers, and its memory."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from bench.tiny_models import tiny_model
from inference.pipelines.causal_lm import batched_attention, probe
from inference.pipelines.causal_lm.batched_attention import KVPool, PooledKVCache, PooledRunner, batched_runners
from inference.pipelines.causal_lm.batched_runner import BatchedRunner, KVCache
from inference.pipelines.causal_lm.generation import Generation
from inference.pipelines.causal_lm.probe import choose_runner
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.peak_memory import PeakMemory
from inference.pipelines.pipeline import Batch, Pipeline
from inference.pipelines.weights import read_model
from inference.tasks import CompleteRequest
from inference.types import ModelSpec
from tests.inference.pipelines.causal_lm.test_families import BATCHED
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import ARCHITECTURES, load, save_causal

PROMPTS = [list(range(20, 20 + length)) for length in (3, 40, 11)]
LONG = [[(7 * i + length) % 190 + 5 for i in range(length)] for length in (250, 5, 511, 254, 90)]
"""Prompts whose next tokens cross the lengths to which keys are padded."""

ROUNDING = 1e-4


def decode(runner: BatchedRunner, prompts: Sequence[Sequence[int]], steps: int) -> list[torch.Tensor]:
    """Return the logits after each step [sequences, vocabulary], greedily."""
    caches: list[KVCache] = [runner.new_cache(len(prompt) + steps) for prompt in prompts]
    logits = [torch.cat([runner.prefill([cache], [prompt]) for cache, prompt in zip(caches, prompts, strict=True)])]
    for _ in range(steps):
        logits.append(runner.decode(caches, logits[-1].argmax(1).tolist()))
    return logits


def tiny(architecture: str, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture]().eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.bfloat16() if dtype == torch.bfloat16 else model


@pytest.mark.parametrize("model_type", BATCHED)
def test_logits_equal_those_of_the_loop(model_type: str) -> None:
    model = tiny_model(model_type)
    ours = decode(PooledRunner(model, 16), PROMPTS, 12)
    for logits, expected in zip(ours, decode(BatchedRunner(model, 16), PROMPTS, 12), strict=True):
        assert float((logits - expected).abs().max()) <= ROUNDING * float(expected.std())


@pytest.mark.parametrize("model_type", BATCHED)
def test_greedy_tokens_equal_those_of_generate(model_type: str) -> None:
    model: Any = tiny_model(model_type)
    ours = torch.stack(decode(PooledRunner(model, 16), PROMPTS, 12)).argmax(2)
    for i, prompt in enumerate(PROMPTS):
        ids = torch.tensor([prompt])
        options: dict[str, Any] = {"max_new_tokens": 13, "do_sample": False, "num_beams": 1, "pad_token_id": 2}
        new = model.generate(ids, attention_mask=torch.ones_like(ids), **options)[0, len(prompt) :]
        assert ours[: len(new), i].tolist() == new.tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("architecture", ["gpt2", "opt", "llama", "mistral"])
def test_a_row_is_the_same_to_the_bit_alone_and_in_company(architecture: str, dtype: torch.dtype) -> None:
    runner = PooledRunner(tiny(architecture, dtype), 16)
    together = decode(runner, LONG, 8)
    for i, prompt in enumerate(LONG):
        for alone, row in zip(decode(runner, [prompt], 8), together, strict=True):
            assert torch.equal(alone[0], row[i])


def test_one_call_of_attention_serves_all_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    own = torch.nn.functional.scaled_dot_product_attention

    def count(query: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
        calls.append(len(query))
        return own(query, *rest, **options)

    runner = PooledRunner(tiny("llama"), 16)
    caches = [runner.new_cache(9) for _ in PROMPTS]
    for cache in caches:
        runner.prefill([cache], [[5, 6]])
    monkeypatch.setattr("inference.pipelines.causal_lm.batched_attention.scaled_dot_product_attention", count)
    runner.decode(caches, [7, 8, 9])
    assert calls == [3, 3, 3], "one for each of the three layers"


class Texts(Pipeline):
    """Completes texts with a `PooledRunner`, as the pipeline does on a GPU."""

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer) -> None:
        runner = PooledRunner(model, 16)
        self._generation = Generation(runner, tokenizer, PromptTemplate(tokenizer, 256), {1}, 16)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_model(AutoModelForCausalLM, folder, placement), Tokenizer(folder))

    def run(self, batch: Batch) -> None:
        self._generation.run(batch)


def load_texts(folder: Path, dtype: torch.dtype = torch.float32) -> Texts:
    return Texts.load(
        ModelSpec(name="tiny", task="complete", repo=str(folder)), folder, Placement(torch.device("cpu"), dtype)
    )


REQUESTS = [
    CompleteRequest(prompt=prompt, max_new_tokens=24, temperature=1.0, seed=seed, n=1 + seed % 3)
    for seed, prompt in enumerate(("the quick brown fox", "once upon a time there was a small boat", "a") * 3)
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("architecture", ["gpt2", "mistral"])
def test_a_text_is_the_same_alone_and_in_a_batch(architecture: str, dtype: torch.dtype, tmp_path: Path) -> None:
    texts = load_texts(save_causal(tmp_path, architecture), dtype)
    alone = [run(texts, request)[0] for request in REQUESTS]
    assert run(texts, *REQUESTS) == alone
    if dtype == torch.float32:
        assert run(load(tmp_path), *REQUESTS) == alone, "the loop writes the same"


def test_a_text_that_joins_or_leaves_changes_no_other(tmp_path: Path) -> None:
    texts = load_texts(save_causal(tmp_path, "llama"))
    stays, leaves, joins = REQUESTS[0], REQUESTS[1], REQUESTS[2]
    expected = [run(texts, request)[0] for request in (stays, joins)]
    batch = MemoryBatch.of(leaves, stays)
    late = MemoryJob(joins)

    def change() -> None:
        if batch.yield_points == 6:
            batch.jobs[0].cancel()
            batch.arrivals.append(late)

    batch.on_yield = change
    batch.run(texts)
    assert [batch.jobs[1].outcome, late.outcome] == expected


def filled(pool: KVPool, *capacities: int) -> list[PooledKVCache]:
    """Return caches of which every token holds the capacity of its cache."""
    caches = [PooledKVCache(pool, capacity) for capacity in capacities]
    for cache in caches:
        new = torch.full((1, 2, cache.capacity, 4), float(cache.capacity))
        cache.append(0, new, new)
        cache.length = cache.capacity
    return caches


def test_the_pool_is_as_large_as_its_sequences() -> None:
    pool = KVPool()
    first, second, third = filled(pool, 3, 5, 7)
    waiting = PooledKVCache(pool, 100)
    token = 2 * 2 * 4 * 4
    assert [cache.nbytes for cache in (first, second, third, waiting)] == [3 * token, 5 * token, 7 * token, 0]
    second.clear()
    assert len(pool.layers[0][0]) == 10
    for cache in (first, third):
        keys, values = cache.tokens(pool.layers[0], cache.length)
        assert bool((keys == cache.capacity).all() and (values == cache.capacity).all())
    first.clear()
    third.clear()
    assert pool.layers == {}


def test_a_sequence_that_was_dropped_frees_its_place_when_the_next_one_comes() -> None:
    pool = KVPool()
    caches = filled(pool, 3, 5, 7)
    del caches[1]
    gc.collect()
    (fourth,) = filled(pool, 4)
    assert len(pool.layers[0][0]) == 14
    for cache in (*caches, fourth):
        assert bool((cache.tokens(pool.layers[0], cache.length)[0] == cache.capacity).all())


def test_a_sequence_lost_when_memory_ran_out_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = KVPool()
    stays, leaves = filled(pool, 3, 5)

    def run_out(*_: Any) -> None:
        raise torch.OutOfMemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(torch, "cat", run_out)
        leaves.clear()
    assert pool.layers == {}
    filled(pool, 3)
    with pytest.raises(torch.OutOfMemoryError, match="lost"):
        stays.append(0, torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))


def test_what_a_step_gathers_is_counted_in_the_memory_budget() -> None:
    runner = PooledRunner(tiny("gpt2"), 16)
    caches: list[KVCache] = [runner.new_cache(len(prompt) + 1) for prompt in LONG]
    for cache, prompt in zip(caches, LONG, strict=True):
        runner.prefill([cache], [prompt])
    runner.bytes_per_token = caches[0].nbytes // caches[0].capacity
    with PeakMemory() as memory:
        runner.decode(caches, [7] * len(caches))
    assert 0.9 * memory.peak < runner.cache_bytes(caches) < 1.1 * memory.peak, "which also counts what is written to"


def test_attention_without_a_kernel_whose_rows_are_independent_is_computed_in_a_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "batched_runners", lambda *all: [PooledRunner(*all), BatchedRunner(*all)])
    assert choose_runner(tiny("gpt2"), PROMPTS[0], 16, "")[1].startswith("batched: ")
    monkeypatch.setitem(batched_attention.KERNELS, "cpu", batched_attention.KERNELS["cuda"])
    assert choose_runner(tiny("gpt2"), PROMPTS[0], 16, "")[1].startswith("batched, attention in a loop: ")


def test_a_cpu_decodes_in_a_loop() -> None:
    (runner,) = batched_runners(tiny("gpt2"), 16)
    assert type(runner) is BatchedRunner


def test_a_verdict_names_the_runner_of_the_device() -> None:
    assert choose_runner(tiny("gpt2"), PROMPTS[0], 16, "")[1].startswith("batched: ")
