"""Test the operator's list of words that a prompt must not contain."""

from __future__ import annotations

import pytest

from inference.config.schema import Config
from inference.limits import SafetySection
from inference.tasks import (
    AskRequest,
    ChatAnswerRequest,
    CompleteRequest,
    FillRequest,
    ImagineRequest,
    Message,
    Request,
    SentimentRequest,
    SummarizeRequest,
    TextSource,
)
from inference.types.errors import InvalidRequest

CONFIG = Config(safety=SafetySection(words=("ass", "fruit salad", "C++", "naïve")))


@pytest.mark.parametrize(
    "prompt",
    [
        "ass",
        "an ASS in a field",
        "ass, horse",
        "(ass:1.3)",
        "an ass's ears",
        "bowl of Fruit Salad.",
        "fruit \n salad",
        "a c++ logo",
        "NAÏVE art",
        "nai\u0308ve art",
        "(a:1)(ss:1)",
        "a[s]s, ((a (horse:0.5)))",
        "as(: -.5 )s",
        "ａｓｓ",
        "an &#97;ss",
        "a<b>ss",
        "fruit-salad",
        "fruit_salad",
    ],
)
def test_a_listed_word_or_phrase_is_refused_in_any_spelling_or_context(prompt: str) -> None:
    with pytest.raises(InvalidRequest, match="does not allow a word of this text"):
        ImagineRequest(prompt=prompt).check(CONFIG.limits, CONFIG.safety)


@pytest.mark.parametrize(
    "prompt", ["grass", "assets", "class", "fruit, salad", "C", "naïvety", "naive", "ass2", "a ss"]
)
def test_only_whole_words_are_refused(prompt: str) -> None:
    ImagineRequest(prompt=prompt).check(CONFIG.limits, CONFIG.safety)


TYPED = [
    ImagineRequest(prompt="a horse", negative_prompt="ass"),
    CompleteRequest(prompt="an ass"),
    CompleteRequest(prompt="Go on", messages=(Message("user", "an ass"),)),
    FillRequest(text="This ___ is an ass."),
    AskRequest(question="Who is an ass?", context="Nobody."),
    AskRequest(question="Who is it?", context="He is an ass."),
    ChatAnswerRequest(question="Who is an ass?"),
    ChatAnswerRequest(question="Who is it?", context="He is an ass."),
    SummarizeRequest(text="He is an ass."),
    SentimentRequest(texts=("What a day", "What an ass")),
]


@pytest.mark.parametrize("request_", TYPED)
def test_every_text_that_people_type_is_searched(request_: Request) -> None:
    with pytest.raises(InvalidRequest, match="does not allow a word") as refusal:
        request_.check(CONFIG.limits, CONFIG.safety)
    assert not any(word in str(refusal.value) for word in CONFIG.safety.words)
    request_.check(CONFIG.limits, SafetySection())


@pytest.mark.parametrize("text_source", ["chosen", "channel"])
def test_files_and_messages_are_not_searched(text_source: TextSource) -> None:
    texts: list[Request] = [
        AskRequest(question="Who is it?", context="He is an ass.", text_source=text_source),
        ChatAnswerRequest(question="Who is it?", context="He is an ass.", text_source=text_source),
        SummarizeRequest(text="He is an ass.", text_source=text_source),
        SentimentRequest(texts=("What an ass",), text_source=text_source),
    ]
    for text in texts:
        text.check(CONFIG.limits, CONFIG.safety)


def test_a_question_about_a_file_is_searched() -> None:
    with pytest.raises(InvalidRequest, match="does not allow a word"):
        AskRequest(question="Who is an ass?", context="…", text_source="chosen").check(CONFIG.limits, CONFIG.safety)


def test_what_the_model_wrote_before_is_not_searched() -> None:
    messages = (Message("assistant", "an ass"), Message("system", "no ass"))
    request = CompleteRequest(prompt="Go on", prefill="an ass", messages=messages)
    request.check(CONFIG.limits, CONFIG.safety)


def test_an_empty_word_in_the_config_is_refused() -> None:
    with pytest.raises(ValueError, match="would refuse every prompt"):
        SafetySection(words=("ass", " "))
