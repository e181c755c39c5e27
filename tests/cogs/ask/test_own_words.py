"""Answers of a language model in its own words, from passages of a text or from its memory; always labelled."""

from __future__ import annotations

import pytest

from inference import Answer, AskRequest, ChatAnswerRequest, Config, PartialText, Result
from tests.cogs.ask.questions import TOWER, ask, finds, newest_ask_request, newest_chat_request, span
from tests.cogs.stage import Stage, buttons, first, followup, refusal

_LABEL = "-# In the model's own words, which may be wrong"
_HINT = "To ask about what was written here, use /ask with `messages`."
_SAID = Result(Answer("It was built in 1889.", 0, 0, 0, generated=True))


async def test_the_evidence_is_shown_below_own_words(stage: Stage):
    stage.backend.script = finds("1889", 0.9, ("1887", 0.1))
    result = await ask(stage, text=TOWER, **{"own-words": True})
    assert first(result).content == (
        f"> When?\n\nBecause it is so.\n{_LABEL}\nWhat I found there:\nIt was built in **1889** by Eiffel.\n-# Sure"
    )


async def test_the_language_model_reads_the_best_passages_in_text_order(stage: Stage):
    text = " ".join(f"passage {number}." for number in range(9))
    windows = tuple((text.index(f"passage {n}"), text.index(f"passage {n}") + 10) for n in (7, 2, 5, 1))
    found = Result(span(text, "passage 7", passages=windows))
    stage.backend.script = lambda spec, request: [found if isinstance(request, AskRequest) else _SAID]
    await ask(stage, text=text, **{"own-words": True})
    assert newest_chat_request(stage).context == "passage 2.\n\npassage 5.\n\npassage 7."
    assert (newest_chat_request(stage).question, newest_chat_request(stage).owner) == ("When?", str(stage.alice.id))


async def test_own_words_work_without_a_literal_answer_in_the_text(stage: Stage):
    stage.backend.script = finds("")
    result = await ask(stage, text=TOWER, **{"own-words": True})
    assert first(result).content.endswith("What I found there:\nThe text does not say.")


async def test_own_words_are_streamed_into_the_message(stage: Stage):
    found = Result(span(TOWER, "1889"))
    stage.backend.script = lambda spec, request: [found] if isinstance(request, AskRequest) else []
    await ask(stage, text=TOWER, **{"own-words": True})
    await stage.event(PartialText("It was *built*"))
    await stage.env.advance_time(2)
    assert stage.last_text == "> When?\n\nIt was \\*built\\* ▌"
    await stage.event(_SAID)
    assert stage.last_text.startswith(f"> When?\n\nIt was built in 1889.\n{_LABEL}")


async def test_a_question_without_a_source_is_answered_from_memory_and_labelled(stage: Stage):
    result = await ask(stage, "Why is the sky blue?")
    assert stage.backend.requests == [ChatAnswerRequest(question="Why is the sky blue?", owner=str(stage.alice.id))]
    assert first(result).content == (
        "> Why is the sky blue?\n\nBecause it is so.\n-# From the model's memory, without a source; it may be wrong\n"
        f"-# {_HINT}"
    )


async def test_an_empty_answer_of_the_model_is_reported(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Answer("", 0, 0, 0, generated=True))]
    assert first(await ask(stage)).content == f"> When?\n\nThe model had nothing to say.\n-# {_HINT}"


async def test_the_file_of_a_long_answer_has_no_escapes(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Answer("It is *so*. " * 800, 0, 0, 0, generated=True))]
    [file] = first(await ask(stage)).attachments
    data = stage.env.backend.cdn.get(file.url)
    assert data is not None
    assert data.decode().startswith("> When?\n\nIt is *so*. It is *so*.")


async def test_the_button_gives_own_words_with_the_evidence_below(stage: Stage):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    result = await stage.alice.click(shown.message, label="In own words")
    assert followup(result).content.startswith(
        f"> When?\n\nBecause it is so.\n{_LABEL}\nWhat I found there:\nIt was built"
    )
    assert newest_chat_request(stage).context == TOWER


async def test_the_form_has_a_box_for_own_words(stage: Stage):
    stage.backend.script = finds("1889")
    message = await stage.bob.send(stage.channel, TOWER)
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    result = await stage.alice.submit_modal(form, {"question": "When?", "own-words": True})
    assert _LABEL in first(result).content


class TestWithoutALanguageModel:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"models": {**config.models, "complete": ()}})

    async def test_evidence_has_no_button_for_own_words(self, stage: Stage):
        stage.backend.script = finds("1889")
        assert buttons(first(await ask(stage, text=TOWER))) == ["Show context"]

    async def test_own_words_are_refused_before_anything_is_read(self, stage: Stage):
        result = await ask(stage, file=("a.txt", b"noon"), **{"own-words": True})
        assert refusal(result).startswith("No model is set up for /complete.")
        assert not stage.backend.requests

    async def test_a_question_without_a_source_is_refused(self, stage: Stage):
        assert refusal(await ask(stage)).startswith("No model is set up for /complete.")

    async def test_the_form_has_no_box_for_own_words(self, stage: Stage):
        stage.backend.script = finds("1889")
        message = await stage.bob.send(stage.channel, TOWER)
        form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
        result = await stage.alice.submit_modal(form, {"question": "When?"})
        assert "**1889**" in first(result).content
        assert newest_ask_request(stage).question == "When?"
