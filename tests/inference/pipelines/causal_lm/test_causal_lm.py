"""Test causal language models: the same text as transformers, alone and in a batch, with cancelled and joining jobs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.tasks import CompleteRequest, Completion, FillMaskResult, FillRequest, SentimentRequest, SentimentResult
from inference.types import PartialText
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import ARCHITECTURES, RUNNERS, load, save_causal

PROMPTS = ("the quick brown fox", "once upon a time there was a small boat on a wide river", "a", "she said that he")


@pytest.fixture(scope="module", params=RUNNERS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CausalLM:
    """Return a model that the runner in the parameter runs."""
    return load(save_causal(tmp_path_factory.mktemp("model"), RUNNERS[request.param]))


def greedy(prompt: str, tokens: int = 24) -> CompleteRequest:
    return CompleteRequest(prompt=prompt, max_new_tokens=tokens, temperature=0, seed=0)


def sampled(prompt: str, seed: int = 0, tokens: int = 24) -> CompleteRequest:
    return CompleteRequest(prompt=prompt, max_new_tokens=tokens, temperature=1.0, top_p=0.9, seed=seed)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_greedy_text_equals_that_of_transformers(architecture: str, tmp_path: Path) -> None:
    folder = save_causal(tmp_path, architecture)
    reference: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    pipeline = load(folder)
    for prompt in PROMPTS:
        inputs = tokenizer(prompt, return_tensors="pt")
        output = reference.generate(**inputs, max_new_tokens=24, do_sample=False, pad_token_id=1)
        expected = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        assert run(pipeline, greedy(prompt)) == [Completion(expected, 0)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_text_is_the_same_alone_and_in_a_batch(architecture: str, dtype: torch.dtype, tmp_path: Path) -> None:
    pipeline = load(save_causal(tmp_path, architecture), dtype)
    requests = [sampled(prompt, seed) for seed, prompt in enumerate(PROMPTS * 3)]
    alone = [run(pipeline, request)[0] for request in requests]
    assert run(pipeline, *requests) == alone
    assert len(set(map(str, alone))) == len(alone)


def test_the_same_seed_gives_the_same_text_and_another_seed_another(model: CausalLM) -> None:
    first, again, other = run(model, sampled("a", 1), sampled("a", 1), sampled("a", 2))
    assert isinstance(first, Completion)
    assert isinstance(other, Completion)
    assert first == again
    assert first.text != other.text


def test_a_request_that_joins_gets_the_same_text_as_alone(model: CausalLM) -> None:
    early, late = sampled(PROMPTS[0], 1), sampled(PROMPTS[1], 2)
    expected = [run(model, early)[0], run(model, late)[0]]
    batch = MemoryBatch.of(early)
    new_job = MemoryJob(late)

    def arrive_at_fifth_token() -> None:
        if batch.yield_points == 5:
            batch.arrivals.append(new_job)

    batch.on_yield = arrive_at_fifth_token
    batch.run(model)
    assert [batch.jobs[0].outcome, new_job.outcome] == expected


def test_a_cancelled_request_does_not_affect_the_others(model: CausalLM) -> None:
    stays, leaves = sampled(PROMPTS[0], 1), sampled(PROMPTS[1], 2)
    expected = run(model, stays)[0]
    batch = MemoryBatch.of(leaves, stays)
    batch.on_yield = lambda: batch.jobs[0].cancel() if batch.yield_points == 5 else None
    batch.run(model)
    assert batch.jobs[1].outcome == expected
    assert batch.jobs[0].outcome is None
    assert len(batch.jobs[0].events) < 8


def test_more_requests_than_sequences_are_all_served(model: CausalLM) -> None:
    requests = [sampled("the", seed, tokens=4) for seed in range(20)]
    outcomes = run(model, *requests)
    assert [outcome.seed for outcome in outcomes if isinstance(outcome, Completion)] == list(range(20))


def test_each_partial_text_extends_the_previous_one_up_to_the_result(model: CausalLM) -> None:
    batch = MemoryBatch.of(*(sampled(prompt, seed) for seed, prompt in enumerate(PROMPTS)))
    batch.run(model)
    for job in batch.jobs:
        chunks = [event.text for event in job.events if isinstance(event, PartialText)]
        assert all(later.startswith(earlier) for earlier, later in pairwise(chunks))
        assert isinstance(job.outcome, Completion)
        assert job.outcome.text == chunks[-1]
    assert max(len(job.events) for job in batch.jobs) > 12


def test_temperature_widens_and_top_p_narrows_the_choice(model: CausalLM) -> None:
    def texts(temperature: float, top_p: float) -> set[str]:
        requests = [
            CompleteRequest(prompt="the", max_new_tokens=3, temperature=temperature, top_p=top_p, seed=seed)
            for seed in range(12)
        ]
        return {outcome.text for outcome in run(model, *requests) if isinstance(outcome, Completion)}

    assert len(texts(1.5, 1.0)) > 6
    assert texts(1.5, 0.01) == texts(0, 1.0)


def test_only_the_too_long_prompt_is_refused_with_the_limit(model: CausalLM) -> None:
    long, fine = run(model, greedy("dog " * 300), greedy("dog"))
    assert isinstance(long, InvalidRequest)
    assert "232" in long.user_message
    assert isinstance(fine, Completion)


@pytest.mark.parametrize("architecture", RUNNERS.values())
def test_a_text_ends_at_any_eos_token_of_the_model(architecture: str, tmp_path: Path) -> None:
    folder = save_causal(tmp_path, architecture)
    text = run(load(folder), greedy("the quick"))[0]
    assert isinstance(text, Completion)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    third = tokenizer(text.text)["input_ids"][2]
    generation = folder / "generation_config.json"
    generation.write_text(generation.read_text().replace('"eos_token_id": 1', f'"eos_token_id": [1, {third}]'))
    shorter = run(load(folder), greedy("the quick"))[0]
    assert isinstance(shorter, Completion)
    assert text.text.startswith(shorter.text)
    assert len(shorter.text) < len(text.text)


def test_every_blank_gets_words_sorted_by_score(model: CausalLM) -> None:
    (result,) = run(model, FillRequest(text="the [MASK] sat on the ____ today", top_k=3))
    assert isinstance(result, FillMaskResult)
    assert len(result.blanks) == 2
    for blank in result.blanks:
        scores = [prediction.score for prediction in blank]
        assert len(blank) == 3
        assert scores == sorted(scores, reverse=True)
        assert all(prediction.word.isalpha() for prediction in blank)
    best = [blank[0].word for blank in result.blanks]
    assert result.text == f"the {best[0]} sat on the {best[1]} today" == result.blanks[1][0].text
    second = result.blanks[0][1]
    assert second.text == f"the {second.word} sat on the {best[1]} today"


def test_words_for_a_blank_depend_on_the_text_after_it(model: CausalLM) -> None:
    outcomes = run(model, *(FillRequest(text=f"the [MASK]{rest}") for rest in (" sat on the mat", ", but dark")))
    first, second = ([p.score for p in o.blanks[0]] for o in outcomes if isinstance(o, FillMaskResult))
    assert first != second


def test_a_mood_is_positive_or_negative_with_its_probability(model: CausalLM) -> None:
    (result,) = run(model, SentimentRequest(texts=("the cat sat on the mat", "the", "N/A")))
    assert isinstance(result, SentimentResult)
    for mood in result.moods:
        assert mood.label in ("positive", "negative")
        assert 0.5 <= mood.score <= 1
        assert mood.valence == pytest.approx((2 * mood.score - 1) * (1 if mood.label == "positive" else -1))
    assert result.moods[2].valence == 0, "the neutral text itself"


def test_moods_are_the_same_alone_and_in_a_batch(model: CausalLM) -> None:
    texts = ("the cat sat", "on the mat today")
    (batched,) = run(model, SentimentRequest(texts=texts))
    alone = run(model, *(SentimentRequest(texts=(text,)) for text in texts))
    assert isinstance(batched, SentimentResult)
    assert batched.moods == tuple(result.moods[0] for result in alone if isinstance(result, SentimentResult))


def test_a_too_long_text_does_not_fail_the_moods_of_others(model: CausalLM) -> None:
    (result,) = run(model, SentimentRequest(texts=("the cat", "the cat sat" + " on the mat" * 300, "the fox")))
    assert isinstance(result, SentimentResult)
    assert len(result.moods) == 3


def test_earlier_requests_do_not_affect_later_ones(model: CausalLM) -> None:
    request = sampled("once upon", 5)
    before = run(model, request)
    run(model, replace(request, seed=6), greedy("the"))
    assert run(model, request) == before
