"""/ask with a picture, and the menu "Ask about this" on messages with pictures."""

from __future__ import annotations

import pytest
from simcord import InteractionResult

from inference import Answer, ChatAnswerRequest, Event, InferenceError, ModelSpec, Request, Result
from tests.cogs.ask.questions import TOWER, ask, newest_ask_request, newest_chat_request
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import PNG

SMALL_PRINT = "\n-# From what the model sees in the picture; it may be wrong"
EYES = "vit-gpt2-image-captioning"
"""The shipped captioning model, which the tests let answer questions."""


@pytest.fixture(autouse=True)
def seeing(stage: Stage) -> None:
    stage.backend.seeing[EYES] = True
    stage.backend.script = sees("a *red* cat")


def sees(*answers: str):
    """Return the script of a model that gives these answers, one after another."""
    left = list(answers)

    def script(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        return [Result(Answer(left.pop(0), 0.0, 0, 0, generated=True))]

    return script


async def _ask_about(stage: Stage, text: str, *names: str) -> InteractionResult:
    message = await stage.bob.send(stage.channel, text, attachments=[(name, PNG) for name in names])
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    return await stage.alice.submit_modal(form, {"question": "What is it?"})


async def test_a_picture_is_asked_about_and_the_answer_says_that_it_may_be_wrong(stage: Stage):
    result = await ask(stage, "What is it?", image=("cat.png", PNG))
    assert first(result).content == rf"> What is it?{chr(10)}{chr(10)}a \*red\* cat{SMALL_PRINT}"
    [request] = stage.backend.requests
    assert request == ChatAnswerRequest(question="What is it?", image=PNG, owner=str(stage.alice.id))


async def test_a_text_beside_the_picture_is_given_to_the_model(stage: Stage):
    await ask(stage, "What is it?", image=("cat.png", PNG), text="A poem.")
    assert (newest_chat_request(stage).image, newest_chat_request(stage).context) == (PNG, "A poem.")


async def test_without_a_model_that_sees_the_question_is_refused_in_private(stage: Stage):
    stage.backend.seeing.clear()
    result = await ask(stage, "What is it?", image=("cat.png", PNG))
    assert refusal(result).startswith("No model on this machine answers questions about pictures.")
    assert not stage.backend.requests


async def test_a_model_that_sees_nothing_is_refused_with_the_names_of_those_that_do(stage: Stage):
    result = await ask(stage, "What is it?", image=("cat.png", PNG), model="roberta-base-squad2")
    assert refusal(result) == f"roberta-base-squad2 answers no questions about pictures. These do: {EYES}."


async def test_a_preferred_language_model_is_not_asked_about_pictures(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cogs.common.rules._preferred", lambda *_: "roberta-base-squad2")
    assert "red" in first(await ask(stage, "What is it?", image=("cat.png", PNG))).content


async def test_text_named_png_is_refused(stage: Stage):
    assert "picture" in refusal(await ask(stage, "What is it?", image=("cat.png", b"I am a text")))


async def test_a_picture_over_the_limit_is_refused_before_it_is_fetched(stage: Stage):
    result = await ask(stage, "What is it?", image=("huge.png", b"0" * 26_000_000))
    assert refusal(result).startswith("huge.png has 26.0 MB; 25.0 MB is the most")
    assert not result.deferred


async def test_the_menu_asks_about_the_picture_of_a_message_and_gives_its_words(stage: Stage):
    result = await _ask_about(stage, "Look at her", "cat.png")
    assert first(result).content == rf"> What is it?{chr(10)}{chr(10)}a \*red\* cat{SMALL_PRINT}"
    assert (newest_chat_request(stage).image, newest_chat_request(stage).context) == (PNG, "Look at her")


async def test_several_pictures_get_an_answer_each_in_order(stage: Stage):
    stage.backend.script = sees("a cat", "a dog")
    result = await _ask_about(stage, "", "a_1.png", "b.png")
    lines = [r"1. **a\_1.png**: a cat", "2. **b.png**: a dog"]
    assert first(result).content == f"> What is it?\n\n{chr(10).join(lines)}{SMALL_PRINT}"


async def test_without_a_model_that_sees_the_menu_reads_the_words_of_the_message(stage: Stage):
    stage.backend.seeing.clear()
    stage.backend.script = lambda spec, request: [Result(Answer("1889", 0.9, 36, 40))]
    await _ask_about(stage, TOWER, "cat.png")
    assert newest_ask_request(stage).context == TOWER
