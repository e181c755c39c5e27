"""Test which requests are refused before they are queued, and the error messages."""

from __future__ import annotations

import math

import pytest

from inference.limits import Limits, SafetySection
from inference.tasks import (
    TASK_NAMES,
    AskRequest,
    CaptionRequest,
    ChatRequest,
    CompleteRequest,
    EditRequest,
    FillRequest,
    ImagineRequest,
    Message,
    Request,
    SentimentRequest,
    SummarizeRequest,
    UpscaleRequest,
    Variation,
)
from inference.tasks.fill import has_blank
from inference.types.errors import InvalidRequest
from tests.fakes import PNG

LIMITS = Limits(prompt_characters=50, text_characters=100, new_tokens=64, steps=30, pictures=2, side=512).model_copy(
    update={"upload": 2000}
)

GOOD: list[Request] = [
    ChatRequest(messages=(Message("user", "x" * 100),), max_new_tokens=64, temperature=0),
    ChatRequest(
        messages=(Message("user", "a"), Message("assistant", "b"), Message("tool", "c")), max_new_tokens=1, seed=3
    ),
    CompleteRequest(prompt="x" * 50, max_new_tokens=64, temperature=0, top_p=1, seed=2**32 - 1),
    CompleteRequest(prompt="x", max_new_tokens=1, temperature=5, top_p=0.01, seed=0),
    FillRequest(text="a [MASK] b"),
    SummarizeRequest(text="x" * 100),
    AskRequest(question="Who?", context="x" * 100),
    CaptionRequest(image=b"x" * 2000),
    ImagineRequest(prompt="a fox"),
    ImagineRequest(prompt="a fox", width=512, height=64, steps=30, guidance_scale=0, count=2, seed=5),
    ImagineRequest(prompt="a fox", image=PNG, mask=PNG, strength=0.5, variations=(Variation(7, 0.2),)),
    ImagineRequest(prompt="a fox", variations=(Variation(7, 0.2),) * 16),
    ImagineRequest(prompt="a fox", image=PNG, region="cells 1 5 9", sampler="Euler a", top_k=50),
    EditRequest(prompt="make it red", image=PNG, image_guidance_scale=1.5),
    UpscaleRequest(image=PNG),
    SentimentRequest(texts=("fine",)),
]

BAD: list[tuple[Request, str]] = [
    (ChatRequest(messages=()), "The message is empty. Write something first."),
    (ChatRequest(messages=(Message("user", " "),)), "The message is empty"),
    (ChatRequest(messages=(Message("tool", "c"),)), "The message is empty"),
    (ChatRequest(messages=(Message("user", "x" * 101),)), "The message has 101 characters; 100 is the most that"),
    (
        ChatRequest(messages=(Message("user", "a"), Message("assistant", "b"))),
        "The last message is already a reply. Write something first.",
    ),
    (ChatRequest(messages=(Message("user", "a"),)), "The length must be between 1 and 64, not 512."),
    (
        ChatRequest(messages=(Message("user", "a"),), max_new_tokens=1, temperature=6),
        "The temperature must be between 0 and 5, not 6.",
    ),
    (CompleteRequest(prompt=""), "The prompt is empty. Write something first."),
    (CompleteRequest(prompt=" \n\t"), "The prompt is empty"),
    (
        CompleteRequest(prompt="x" * 100_000),
        "The prompt has 100,000 characters; 50 is the most that this bot takes. Shorten it.",
    ),
    (CompleteRequest(prompt="x", max_new_tokens=0), "The length must be between 1 and 64, not 0."),
    (CompleteRequest(prompt="x", max_new_tokens=65), "The length must be between 1 and 64, not 65."),
    (CompleteRequest(prompt="x", max_new_tokens=10**9), "The length must be between 1 and 64, not 1,000,000,000."),
    (CompleteRequest(prompt="x", temperature=-0.1), "The temperature must be between 0 and 5, not -0.1."),
    (CompleteRequest(prompt="x", temperature=math.nan), "The temperature must be between 0 and 5, not nan."),
    (CompleteRequest(prompt="x", top_p=0), "The top-p must be between 0.01 and 1, not 0."),
    (CompleteRequest(prompt="x", seed=-1), "The seed must be a whole number from 0 to 4294967295."),
    (CompleteRequest(prompt="x", seed=2**32), "The seed must be a whole number"),
    (FillRequest(text=" "), "The text is empty"),
    (FillRequest(text="no blank __ here"), "There is no blank to fill. Write [MASK] or ___ where a word is missing."),
    (FillRequest(text="a ___", top_k=0), "The number of words a blank must be between 1 and 100, not 0."),
    (SummarizeRequest(text=""), "The text is empty"),
    (SummarizeRequest(text="x" * 101), "The text has 101 characters"),
    (AskRequest(question="", context="x"), "The question is empty"),
    (AskRequest(question="Who?", context=""), "The text to ask about is empty"),
    (AskRequest(question="Who?", context="x" * 101), "The text to ask about has 101 characters"),
    (AskRequest(question="Who?", context="x", alternatives=11), "The number of alternatives must be between 0 and 10"),
    (CaptionRequest(image=b"x" * 2001), "This picture is larger than"),
    (ImagineRequest(prompt=""), "The prompt is empty"),
    (ImagineRequest(prompt="x", negative_prompt="x" * 51), "The negative prompt is longer than 50 characters."),
    (ImagineRequest(prompt="x", width=4), "The width must be between 8 and 512, not 4."),
    (ImagineRequest(prompt="x", width=-8), "The width must be between 8 and 512, not -8."),
    (ImagineRequest(prompt="x", height=520), "The height must be between 8 and 512, not 520."),
    (ImagineRequest(prompt="x", height=101), "The height must be a multiple of 8, for example 96."),
    (ImagineRequest(prompt="x", steps=31), "The steps must be between 1 and 30, not 31."),
    (ImagineRequest(prompt="x", steps=-1), "The steps must be between 1 and 30, not -1."),
    (ImagineRequest(prompt="x", guidance_scale=31), "The guidance must be between 0 and 30, not 31."),
    (ImagineRequest(prompt="x", guidance_scale=math.nan), "The guidance must be between 0 and 30, not nan."),
    (ImagineRequest(prompt="x", count=0), "The count must be between 1 and 2, not 0."),
    (ImagineRequest(prompt="x", count=3), "The count must be between 1 and 2, not 3."),
    (ImagineRequest(prompt="x", seed=-1), "The seed must be a whole number"),
    (ImagineRequest(prompt="x", mask=PNG), "A mask, a region and a strength belong to a picture to start from. Add"),
    (
        ImagineRequest(prompt="x", strength=0.5),
        "A mask, a region and a strength belong to a picture to start from. Add",
    ),
    (ImagineRequest(prompt="x", image=PNG, mask=PNG, region="centre"), "Give a mask or a region, not both."),
    (ImagineRequest(prompt="x", image=PNG, region="sky"), "There is no region 'sky'. There are: left half, "),
    (ImagineRequest(prompt="x", image=PNG, region="cells 0"), "There is no region 'cells 0'."),
    (ImagineRequest(prompt="x", image=PNG, strength=0), "The strength must be between 0.01 and 1, not 0."),
    (ImagineRequest(prompt="x", image=b"x" * 2001), "This picture is larger than"),
    (ImagineRequest(prompt="x", image=PNG, mask=b"x" * 2001), "This picture is larger than"),
    (ImagineRequest(prompt="x", temperature=-1), "The temperature must be between 0 and 5, not -1."),
    (ImagineRequest(prompt="x", top_k=-1), "The top-k must be between 0 and 100,000, not -1."),
    (ImagineRequest(prompt="x", variations=(Variation(1, 2.0),)), "The strength of a variation must be between 0 and"),
    (
        ImagineRequest(prompt="x", variations=(Variation(1, 0.2),) * 17),
        "A picture can be varied 16 times in a row at most. Vary an earlier one, or write a new prompt.",
    ),
    (EditRequest(prompt=" ", image=PNG), "The instruction is empty"),
    (UpscaleRequest(), "This file is not a picture that the bot can read."),
    (UpscaleRequest(image=b"x" * 2001), "This picture is larger than"),
    (EditRequest(prompt="x"), "There is no picture to edit."),
    (EditRequest(prompt="x", image=PNG, region="left half"), "An edit in words takes no mask, region or strength."),
    (EditRequest(prompt="x", image=PNG, sampler="DDIM"), "An edit uses the sampler of its model"),
    (EditRequest(prompt="x", image=PNG, image_guidance_scale=0.5), "The image guidance must be between 1 and 10"),
    (ImagineRequest(prompt="x", variations=(Variation(-1, 0.2),)), "The seed must be a whole number"),
    (SentimentRequest(texts=("fine", "")), "The text is empty"),
    (SentimentRequest(texts=("fine", "x" * 51)), "The text has 51 characters; 50 is the most"),
    (SentimentRequest(texts=()), "Give 1 to 1,000 texts, not 0."),
    (SentimentRequest(texts=("fine",) * 1001), "Give 1 to 1,000 texts, not 1,001."),
]


@pytest.mark.parametrize("request_", GOOD, ids=repr)
def test_a_request_within_the_limits_passes(request_: Request) -> None:
    request_.check(LIMITS, SafetySection())


@pytest.mark.parametrize(("request_", "words"), BAD, ids=[f"{type(r).__name__}: {words}" for r, words in BAD])
def test_a_request_outside_the_limits_is_refused_with_the_cause_and_the_limit(request_: Request, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request_.check(LIMITS, SafetySection())
    assert caught.value.user_message.startswith(words)


def test_the_examples_cover_every_task() -> None:
    assert {request.task for request in GOOD} == set(TASK_NAMES)


@pytest.mark.parametrize("text", ["a [MASK] b", "a [mask] b", "<mask>", "a ___ b", "a ______ b"])
def test_a_blank_is_a_mask_token_in_any_case_or_at_least_three_underscores(text: str) -> None:
    assert has_blank(text)


def test_the_upload_limit_is_shown_in_a_readable_unit() -> None:
    with pytest.raises(InvalidRequest, match=r"larger than 25 MB\. Send a smaller one\."):
        CaptionRequest(image=b"x" * 25_000_001).check(Limits(), SafetySection())


def test_a_picture_that_cannot_be_decoded_is_refused() -> None:
    CaptionRequest(image=PNG).decode_inputs(LIMITS)
    with pytest.raises(InvalidRequest):
        CaptionRequest(image=b"a text named .png").decode_inputs(LIMITS)


def test_requests_without_pictures_need_no_decoding() -> None:
    SentimentRequest(texts=("fine",)).decode_inputs(LIMITS)
