"""Test the numbers of DALL·E mini: they equal those of the original, and sampling has the right frequencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.image_tokens import ImageTokenGeneration, TokenNoise, TokenSampling
from inference.pipelines.dalle_mini.prompt_tokenizer import TokenizedPrompt
from inference.pipelines.dalle_mini.vqgan import VQGAN
from inference.pipelines.devices import Placement
from inference.tasks import Variation
from tests.inference.pipelines.tiny_dalle import DATA, expected

CPU = Placement(torch.device("cpu"), torch.float32)


CODES = 256


@pytest.fixture(scope="module", autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def reference() -> dict[str, Tensor]:
    return expected()


@pytest.fixture(scope="module", params=["bart", "bart_stacked"])
def bart(request: pytest.FixtureRequest) -> DalleBart:
    return DalleBart.load(DATA / request.param, CPU)


def test_encoder_states_equal_those_of_the_original(bart: DalleBart, reference: dict[str, Tensor]) -> None:
    states = bart.encode(reference["input_ids"].long(), reference["attention_mask"].bool())
    torch.testing.assert_close(states, reference["encoder_states"], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("ids", "mask", "logits"),
    [("input_ids", "attention_mask", "logits"), ("uncond_ids", "uncond_mask", "uncond_logits")],
)
def test_logits_equal_those_of_the_original_at_once_and_token_by_token(
    bart: DalleBart, reference: dict[str, Tensor], ids: str, mask: str, logits: str
) -> None:
    text, attention_mask, tokens = reference[ids].long(), reference[mask].bool(), reference["decoder_input_ids"].long()
    states = bart.encode(text, attention_mask)
    logits_at_once = bart(tokens, bart.new_cache(states, attention_mask))
    torch.testing.assert_close(logits_at_once, reference[logits], atol=1e-4, rtol=0)
    cache = bart.new_cache(states, attention_mask)
    logits_by_token = torch.cat([bart(token[:, None], cache) for token in tokens.unbind(1)], dim=1)
    torch.testing.assert_close(logits_by_token, reference[logits], atol=1e-4, rtol=0)


def test_greedy_tokens_with_a_condition_scale_of_ten_equal_those_of_the_original(
    bart: DalleBart, reference: dict[str, Tensor]
) -> None:
    prompts, unconditional = (
        tokenized_prompts(reference, "input_ids", "attention_mask"),
        tokenized_prompts(reference, "uncond_ids", "uncond_mask"),
    )
    generation = ImageTokenGeneration(
        bart, TokenSampling(10.0, 0.0, 0, CODES), prompts, unconditional[0], [TokenNoise(0, ()), TokenNoise(0, ())]
    )
    for _ in range(bart.image_length):
        generation.step()
    assert generation.tokens.tolist() == reference["greedy_tokens_scale10"].tolist()


def tokenized_prompts(reference: dict[str, Tensor], ids: str, mask: str) -> list[TokenizedPrompt]:
    rows = zip(reference[ids].tolist(), reference[mask].tolist(), strict=True)
    return [TokenizedPrompt(tuple(tokens), tuple(attention_mask), "") for tokens, attention_mask in rows]


def test_pixels_equal_those_of_the_original(reference: dict[str, Tensor]) -> None:
    pixels = VQGAN.load(DATA / "vqgan", CPU)(reference["codes"].long())
    torch.testing.assert_close(pixels.permute(0, 2, 3, 1), reference["pixels"], atol=1e-4, rtol=0)


def test_top_k_samples_only_from_the_most_likely_tokens(bart: DalleBart, reference: dict[str, Tensor]) -> None:
    text, unconditional = (
        tokenized_prompts(reference, "input_ids", "attention_mask")[0],
        tokenized_prompts(reference, "uncond_ids", "uncond_mask"),
    )
    noises = [TokenNoise(seed, ()) for seed in range(40)]

    def first_tokens(top_k: int) -> set[int]:
        generation = ImageTokenGeneration(
            bart, TokenSampling(1.0, 4.0, top_k, CODES), [text] * 40, unconditional[0], noises
        )
        generation.step()
        return {int(token) for token in generation.tokens.flatten()}

    assert len(first_tokens(3)) == 3
    assert len(first_tokens(0)) > 3


def test_tokens_are_sampled_with_the_probabilities_of_the_softmax(
    bart: DalleBart, reference: dict[str, Tensor]
) -> None:
    text, unconditional = (
        tokenized_prompts(reference, "input_ids", "attention_mask")[0],
        tokenized_prompts(reference, "uncond_ids", "uncond_mask"),
    )
    mask = reference["attention_mask"][:1].bool()
    cache = bart.new_cache(bart.encode(reference["input_ids"][:1].long(), mask), mask)
    likelihood = bart(torch.tensor([[bart.start]]), cache)[0, 0, :CODES].softmax(0)
    noises = [TokenNoise(seed, ()) for seed in range(2000)]
    generation = ImageTokenGeneration(bart, TokenSampling(1.0, 1.0, 0, CODES), [text] * 2000, unconditional[0], noises)
    generation.step()
    frequency = torch.bincount(generation.tokens[:, 0], minlength=CODES) / 2000
    # The total variation distance is about 0.14 for the right distribution, and larger for any other.
    assert (frequency - likelihood).abs().sum() / 2 < 0.17
    assert (frequency - likelihood.flip(0)).abs().sum() / 2 > 0.17


def test_a_variation_keeps_most_tokens_of_its_parent(bart: DalleBart, reference: dict[str, Tensor]) -> None:
    text, unconditional = (
        tokenized_prompts(reference, "input_ids", "attention_mask")[0],
        tokenized_prompts(reference, "uncond_ids", "uncond_mask"),
    )

    def tokens(*noises: TokenNoise) -> Tensor:
        generation = ImageTokenGeneration(
            bart, TokenSampling(1.0, 0.5, 0, CODES), [text] * len(noises), unconditional[0], noises
        )
        for _ in range(bart.image_length):
            generation.step()
        return generation.tokens

    parent, small_change, full_change, no_change, other = tokens(
        TokenNoise(1, ()),
        TokenNoise(1, [Variation(2, 0.1)]),
        TokenNoise(1, [Variation(2, 1.0)]),
        TokenNoise(1, [Variation(2, 0.0)]),
        TokenNoise(2, ()),
    )
    assert (small_change == parent).float().mean() >= 0.5
    assert (other == parent).float().mean() < 0.3
    assert torch.equal(no_change, parent)
    assert torch.equal(full_change, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_do_not_depend_on_the_batch(reference: dict[str, Tensor], dtype: torch.dtype) -> None:
    bart = DalleBart.load(DATA / "bart", Placement(torch.device("cpu"), dtype))
    prompts, unconditional = (
        tokenized_prompts(reference, "input_ids", "attention_mask"),
        tokenized_prompts(reference, "uncond_ids", "uncond_mask"),
    )
    logits_of_steps: list[Tensor] = []

    def record(_: Any, __: Any, logits: Tensor) -> None:
        logits_of_steps.append(logits)

    bart.register_forward_hook(record)

    def logits_of_the_first(count: int) -> tuple[Tensor, Tensor]:
        logits_of_steps.clear()
        prompts_of_batch = [prompts[0], *[prompts[1]] * (count - 1)]
        generation = ImageTokenGeneration(
            bart,
            TokenSampling(10.0, 1.0, 0, CODES),
            prompts_of_batch,
            unconditional[0],
            [TokenNoise(i, ()) for i in range(count)],
        )
        for _ in range(bart.image_length):
            generation.step()
        return torch.stack([step[0] for step in logits_of_steps]), torch.stack(
            [step[count] for step in logits_of_steps]
        )

    alone = logits_of_the_first(1)
    for count in (2, 5, 8):
        for ours, theirs in zip(logits_of_the_first(count), alone, strict=True):
            assert torch.equal(ours, theirs)
