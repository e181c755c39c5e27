"""/ask and its menu: evidence first, honesty when there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs.ask import in_sentence
from inference import Answer, AskRequest, Result
from tests.cogs.stage import Stage, first, refusal

_TEXT = "The tower is tall. It was built in 1889 by Eiffel. People like it."
_START = _TEXT.index("1889")
_ANSWER = Answer("1889", 0.87, _START, _START + 4)


async def test_the_answer_stands_in_its_sentence(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(_ANSWER)]
    result = await stage.alice.slash(stage.channel, "ask", question="When?", text=_TEXT)
    assert first(result).content == "> When?\nIt was built in **1889** by Eiffel.\n-# 87% sure"
    assert stage.backend.requests == [AskRequest(question="When?", context=_TEXT, owner=str(stage.alice.id))]


async def test_no_answer_is_more_than_sure(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(replace(_ANSWER, score=1.12))]
    result = await stage.alice.slash(stage.channel, "ask", question="When?", text=_TEXT)
    assert first(result).content.endswith("-# 100% sure")


async def test_no_answer_is_said_honestly(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Answer("", 0.9, 0, 0))]
    result = await stage.alice.slash(stage.channel, "ask", question="Who?", text=_TEXT)
    assert first(result).content == "> Who?\nThe text does not say."


async def test_a_model_that_answers_in_its_own_words_is_labelled(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Answer("In *1889*.", 0, 0, 0, generated=True))]
    result = await stage.alice.slash(stage.channel, "ask", question="When?", text=_TEXT)
    assert first(result).content == "> When?\nIn \\*1889\\*.\n-# In the model's own words, which may be wrong"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_a_text_file_can_be_asked(stage: Stage, encoding: str):
    data = "Zoë won.".encode(encoding)
    result = await stage.alice.slash(stage.channel, "ask", question="Who?", file=("a.txt", data))
    assert first(result).content.startswith("> Who?\n**Zoë** won.")


@pytest.mark.parametrize("options", [{}, {"text": "x", "file": ("a.txt", b"y")}])
async def test_a_text_or_a_file_is_needed_not_both(stage: Stage, options: dict[str, object]):
    result = await stage.alice.slash(stage.channel, "ask", question="Who?", **options)
    assert refusal(result) == "Give either a text or a file, and only one of them."


@pytest.mark.parametrize("data", [bytes(range(256)), b"PK\x03\x04\x00\x00plain", b"\xff\xfe\x00\xd8"])
async def test_a_file_that_is_no_text_is_refused(stage: Stage, data: bytes):
    result = await stage.alice.slash(stage.channel, "ask", question="Who?", file=("a.txt", data))
    assert refusal(result) == "a.txt is not a text file. Send a .txt or .md file."


async def test_a_file_over_the_limit_is_refused_before_it_is_fetched(stage: Stage):
    result = await stage.alice.slash(stage.channel, "ask", question="Who?", file=("a.txt", b"a" * 2_000_000))
    assert refusal(result).startswith("a.txt has 2.0 MB; 1.6 MB is the most")
    assert not result.deferred


async def test_the_menu_asks_for_the_question_and_links_to_the_message(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(_ANSWER)]
    message = await stage.bob.send(stage.channel, _TEXT)
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    assert form.modal is not None
    [label] = form.modal["components"]
    result = await stage.alice.submit_modal(form, {label["component"]["custom_id"]: "When?"})
    assert "It was built in **1889** by Eiffel." in first(result).content
    assert message.jump_url in first(result).content


async def test_a_message_without_words_can_not_be_asked(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    assert form.modal is not None
    [label] = form.modal["components"]
    result = await stage.alice.submit_modal(form, {label["component"]["custom_id"]: "When?"})
    assert "The text to ask about is empty." in refusal(result)


@pytest.mark.parametrize(
    ("context", "answer", "shown"),
    [
        ("Only one", "one", "Only **one**"),
        ("A.B is x. It is *y*! Then z.", "*y*", r"It is **\*y\***!"),
        ("first line\nsecond line\nthird", "second", "**second** line"),
        ("He said “no.” She left.", "She", "**She** left."),
    ],
)
def test_a_sentence_begins_and_ends_where_it_does(context: str, answer: str, shown: str):
    start = context.index(answer)
    assert in_sentence(context, start, start + len(answer)) == shown


def test_a_sentence_without_end_is_shown_in_part():
    context = "word " * 1000
    assert len(in_sentence(context, 2500, 2504)) < 700
