"""Test completions: stop strings, the repetition penalty, several texts for one prompt, and streaming."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, RepetitionPenaltyLogitsProcessor

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.causal_lm.detokenizer import OutputText
from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.sampling import SequenceSampler, sample_tokens
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import CompleteRequest, Completion
from inference.types import PartialText, Progress
from inference.types.errors import GenerationFailed
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_causal import RUNNERS, load, save_bytes, save_causal

REQUEST = CompleteRequest(prompt="once upon a time", max_new_tokens=40, temperature=1.0, top_p=0.95, seed=3)


@pytest.fixture(scope="module", params=RUNNERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_causal(tmp_path_factory.mktemp("model"), RUNNERS[request.param])


@pytest.fixture(scope="module")
def model(folder: Path) -> CausalLM:
    return load(folder)


def completion(pipeline: CausalLM, request: CompleteRequest) -> Completion:
    (outcome,) = run(pipeline, request)
    assert isinstance(outcome, Completion)
    return outcome


def chunks(pipeline: CausalLM, request: CompleteRequest) -> list[str]:
    batch = MemoryBatch.of(request)
    batch.run(pipeline)
    return [event.text for event in batch.jobs[0].events if isinstance(event, PartialText)]


def test_a_text_ends_before_the_first_stop_string(model: CausalLM) -> None:
    whole = completion(model, REQUEST).text
    late, early = whole[25:28], whole[12:15]
    stopped = completion(model, replace(REQUEST, stop=(late, early)))
    assert stopped == Completion(whole[: whole.find(early)], REQUEST.seed or 0, finish_reason="stop")


def test_a_text_that_uses_all_its_tokens_finishes_with_length(model: CausalLM) -> None:
    assert completion(model, replace(REQUEST, stop=("nowhere to be found",))).finish_reason == "length"


def test_the_beginning_of_a_stop_string_is_not_streamed(model: CausalLM) -> None:
    whole = completion(model, REQUEST).text
    stop = whole[14:24]  # several tokens long
    streamed = chunks(model, replace(REQUEST, stop=(stop,)))
    assert streamed[-1] == whole[:14]
    assert all(whole[:14].startswith(text) for text in streamed)


def test_an_unfinished_stop_string_is_streamed_later(model: CausalLM) -> None:
    whole = completion(model, REQUEST).text
    stop = whole[14:20] + "\x00"
    streamed = chunks(model, replace(REQUEST, stop=(stop,)))
    assert streamed[-1] == whole
    assert not any(text.endswith(stop[:size]) for text in streamed[:-1] for size in range(1, len(stop)))


def test_characters_of_several_tokens_are_streamed_when_complete(tmp_path: Path) -> None:
    tokenizer = Tokenizer(save_bytes(tmp_path))
    tokens = tokenizer.encode("fox 🦊 é")
    text = OutputText(Prompt(tokenizer.encode("the"), len(tokens)), tokenizer)
    streamed: list[str] = []
    for token in tokens:
        text.append(token, eos_token_ids=())
        streamed.append(text.stable_text)
    assert text.continuation.text == "fox 🦊 é"
    assert not any("\ufffd" in each for each in streamed)
    assert streamed[:4] == ["f", "fo", "fox", "fox "]
    assert streamed[4:8] == ["fox "] * 3 + ["fox 🦊"]


@pytest.mark.parametrize("penalty", [1.3, 2.0])
def test_the_penalty_equals_that_of_transformers(penalty: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 50)
    prompts = [[3, 3, 7], [1], [40, 41, 42, 43], [0, 49]]
    samplers = [SequenceSampler(Prompt(tokens, 8, repetition_penalty=penalty), len(tokens) + 8) for tokens in prompts]
    for sampler, tokens in zip(samplers, prompts, strict=True):
        top = int(logits[prompts.index(tokens)].argmax())
        sampler.append(top)
        tokens.append(top)
    processor = RepetitionPenaltyLogitsProcessor(penalty)
    expected = [
        int(processor(torch.tensor([tokens]), logits[row : row + 1].clone()).argmax())  # pyright: ignore
        for row, tokens in enumerate(prompts)
    ]
    assert sample_tokens(logits, samplers) == expected
    assert expected != logits.argmax(dim=-1).tolist()


@pytest.mark.parametrize("prompt", ["the quick brown fox", "a cat and a cat and a"])
def test_a_penalized_text_equals_that_of_transformers(model: CausalLM, folder: Path, prompt: str) -> None:
    reference: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(prompt, return_tensors="pt")
    output = reference.generate(**inputs, max_new_tokens=30, do_sample=False, repetition_penalty=1.4, pad_token_id=1)
    expected = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    request = CompleteRequest(prompt=prompt, max_new_tokens=30, temperature=0, repetition_penalty=1.4)
    assert completion(model, request).text == expected.rstrip("\ufffd")
    assert completion(model, replace(request, repetition_penalty=1.0)).text != completion(model, request).text


def test_numbers_that_are_not_finite_fail_only_their_own_request(model: CausalLM) -> None:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    prefill = runner.prefill

    def prefill_with_overflow(caches: list[Any], pieces: list[list[int]]) -> torch.Tensor:
        overflowing = torch.tensor([[len(piece) > 20] for piece in pieces])
        return prefill(caches, pieces).masked_fill(overflowing, torch.nan)

    runner.prefill = prefill_with_overflow
    failed, fine = run(model, replace(REQUEST, prompt="once upon a time there was a boat on a river " * 3), REQUEST)
    runner.prefill = prefill
    assert isinstance(failed, GenerationFailed)
    assert "overflowed" in failed.user_message
    assert fine == run(model, REQUEST)[0]


@pytest.mark.parametrize("row", [[0.0, float("nan")], [0.0, float("inf")], [float("-inf")] * 2])
def test_no_token_is_chosen_from_numbers_that_are_not_finite(row: list[float]) -> None:
    samplers = [SequenceSampler(Prompt([1], 8, temperature=temperature), 9) for temperature in (0.0, 1.0, 0.0)]
    assert sample_tokens(torch.tensor([row, row, [float("-inf"), 0.0]]), samplers) == [None, None, 1]


def test_one_of_several_texts_that_is_not_finite_fails_its_request_alone(model: CausalLM) -> None:
    runner: Any = model._generation._runner  # pyright: ignore[reportPrivateUsage]
    decode, calls = runner.decode, [0]

    def broken_once(caches: Any, tokens: Any) -> torch.Tensor:
        calls[0] += 1
        logits = decode(caches, tokens).clone()
        if calls[0] == 3:
            logits[0] = torch.nan
        return logits

    runner.decode = broken_once
    failed, fine = run(model, replace(REQUEST, n=3, max_new_tokens=3), replace(REQUEST, max_new_tokens=12, seed=9))
    runner.decode = decode
    assert [isinstance(failed, GenerationFailed), isinstance(fine, GenerationFailed)].count(True) == 1


def test_several_texts_use_consecutive_seeds(model: CausalLM) -> None:
    three = completion(model, replace(REQUEST, n=3))
    alone = [completion(model, replace(REQUEST, seed=seed)).text for seed in (3, 4, 5)]
    assert [three.text, *three.choices] == alone
    assert three.seed == 3
    assert len(set(alone)) == 3


def test_only_the_first_of_several_texts_is_streamed(model: CausalLM) -> None:
    batch = MemoryBatch.of(replace(REQUEST, n=3))
    batch.run(model)
    job = batch.jobs[0]
    assert isinstance(job.outcome, Completion)
    assert not any(isinstance(event, Progress) for event in job.events)
    texts = [event.text for event in job.events if isinstance(event, PartialText)]
    assert texts[-1] == job.outcome.text
    assert all(job.outcome.text.startswith(text) for text in texts)


def test_sixteen_different_requests_give_the_same_texts_alone_and_together(model: CausalLM) -> None:
    whole = completion(model, REQUEST).text
    kinds = [
        REQUEST,
        replace(REQUEST, repetition_penalty=1.3),
        replace(REQUEST, n=3),
        replace(REQUEST, stop=(whole[9:12],)),
        replace(REQUEST, prompt="she said", temperature=0, repetition_penalty=1.2, max_new_tokens=17),
        replace(REQUEST, prompt="the cat sat on the mat", n=2, stop=(" a", "on"), repetition_penalty=1.1),
    ]
    requests = [replace(kind, seed=10 * i) for i in range(3) for kind in kinds][:16]
    alone = [run(model, request)[0] for request in requests]
    batch = MemoryBatch.of(*requests)
    batch.run(model)
    assert [job.outcome for job in batch.jobs] == alone
    for job, request in zip(batch.jobs, requests, strict=True):
        assert [event.text for event in job.events if isinstance(event, PartialText)] == chunks(model, request)


def test_cancelling_one_request_does_not_change_the_others(model: CausalLM) -> None:
    requests = [replace(REQUEST, n=2, seed=seed) for seed in (1, 20, 40)]
    alone = [run(model, request)[0] for request in requests]
    batch = MemoryBatch.of(*requests)
    batch.on_yield = lambda: batch.jobs[1].cancel() if batch.yield_points == 12 else None
    batch.run(model)
    assert [batch.jobs[0].outcome, batch.jobs[2].outcome] == [alone[0], alone[2]]
    assert batch.jobs[1].outcome is None


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("One. Two. Three. Four.", "One. Two. Three."),
        ("One. Two and so on", "One. Two and so on"),
        ("Is it 3.5 metres? Yes. No", "Is it 3.5 metres?"),
        ('He said: "Go on!" She went.', 'He said: "Go on!"'),
        ("One line here\nAnother line", "One line here"),
        ("今日は晴れです。明日は雨です。", "今日は晴れです。"),
    ],
)
def test_a_text_of_whole_sentences_ends_with_the_first_that_ends_after_a_number_of_tokens(
    tmp_path: Path, written: str, kept: str
) -> None:
    tokenizer = Tokenizer(save_bytes(tmp_path))
    tokens = tokenizer.encode(written)
    text = OutputText(Prompt(tokenizer.encode("the"), len(tokens), sentence_after=10), tokenizer)
    for token in tokens:
        if not text.finished:
            text.append(token, eos_token_ids=())
    assert text.continuation == Continuation(kept, "length")


def test_whole_sentences_are_the_same_text_cut_at_the_end_of_a_sentence(model: CausalLM) -> None:
    cut = completion(model, replace(REQUEST, whole_sentences=True)).text
    assert completion(model, REQUEST).text.startswith(cut)
