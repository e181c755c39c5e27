"""Test what people see of the operator's classifiers and of the list of words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from inference import (
    CompleteRequest,
    Completion,
    Config,
    Event,
    InferenceError,
    ModelSpec,
    PartialText,
    Request,
    Result,
)
from inference.limits import SafetySection
from inference.tasks import Classification, ClassifyTextsRequest
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import plausible


@pytest.fixture
def config(config: Config) -> Config:
    safety = SafetySection.model_validate({"texts": "org/ears", "pictures": "org/eyes", "words": ["gnome"]})
    return config.model_copy(update={"safety": safety})


def script(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
    """Object to texts with the word "bad"; go on with a bad word if the prompt asks for it."""
    match request:
        case ClassifyTextsRequest():
            rows = tuple((0.1, 0.9) if "bad" in text else (0.9, 0.1) for text in request.texts)
            return [Result(Classification(("neutral", "toxic"), rows, exclusive=True))]
        case CompleteRequest(prompt="Insult me"):
            return [PartialText("Well. You"), Result(Completion("Well. You are bad.", 7))]
        case _:
            return plausible(spec, request)


async def test_a_refused_text_is_answered_in_private(stage: Stage):
    stage.backend.script = script
    result = await stage.alice.slash(stage.channel, "complete", prompt="a bad day")
    assert refusal(result) == (
        "The bot's classifier objects to this text, so no model gets it. Write it in other words."
    )
    assert stage.channel.history(viewer=stage.bob) == []


async def test_a_withheld_text_is_taken_back_and_leaves_no_message(stage: Stage):
    stage.backend.script = script
    result = await stage.alice.slash(stage.channel, "complete", prompt="Insult me")
    assert refusal(result).startswith("The bot's classifier objects to what the model wrote, so it is not shown.")
    assert stage.channel.history(viewer=stage.bob) == []


async def test_what_nothing_objects_to_is_shown(stage: Stage):
    stage.backend.script = script
    assert "and then" in first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).content


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("complete", {"prompt": "a gnome"}),
        ("fill", {"text": "a ___ gnome"}),
        ("mood", {"text": "a gnome"}),
        ("summarize", {"text": "a gnome"}),
        ("ask", {"question": "Who is a gnome?", "text": "Nobody."}),
        ("ask", {"question": "Who is it?", "text": "A gnome."}),
        ("imagine", {"prompt": "a fox", "negative": "gnome"}),
    ],
)
async def test_a_listed_word_is_refused_in_every_command(stage: Stage, command: str, options: dict[str, str]):
    result = await stage.alice.slash(stage.channel, command, **options)
    assert refusal(result) == "This bot's operator does not allow a word of this text. Write it in other words."
    assert stage.backend.requests == []


async def test_a_message_of_somebody_else_may_have_a_listed_word(stage: Stage):
    message = await stage.bob.send(stage.channel, "What a gnome")
    assert "In short" in first(await stage.alice.context_menu(stage.channel, "Summarize", message)).content


async def test_the_list_of_models_says_what_checks(stage: Stage):
    page = first(await stage.alice.slash(stage.channel, "models")).content
    assert "`ears`" in page
    assert "checks the texts that go in and out" in page
    assert "/safety" not in page
