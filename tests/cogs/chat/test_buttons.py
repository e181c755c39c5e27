"""The buttons below a reply: another one, the rest of it, taking it back, and the thoughts."""

from __future__ import annotations

from typing import Any

import pytest

from inference import ChatReply, ChatRequest, FinishReason, InvalidRequest, Message, PartialText, Result, Started
from tests.cogs.chat.conversations import newest_request, replies, said
from tests.cogs.stage import Stage, followup, refusal
from tests.fakes import PNG, plausible


def _labels(row: Any) -> list[str]:
    return [button.label for button in row.children]


async def test_the_buttons_write_another_reply_continue_it_and_take_it_back(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(ChatReply("One, two", 1, "length"))]
    await stage.alice.send(stage.channel, f"{stage.mention} count")
    [answer] = await replies(stage)
    stage.backend.script = lambda spec, request: [Result(ChatReply(", three", 2, "stop"))]
    await stage.alice.click(answer, label="Continue")
    assert stage.last_text == "One, two, three"
    request = newest_request(stage)
    assert (request.prefill, request.messages[-1]) == ("One, two", Message("user", "count"))
    stage.backend.script = lambda spec, request: [Result(ChatReply("Uno", 3, "stop"))]
    await stage.alice.click(answer, label="Try another")
    assert stage.last_text == "Uno"
    assert len(await replies(stage)) == 1
    await stage.alice.click(answer, label="Undo")
    assert not await replies(stage)


async def test_continue_goes_on_from_the_text_alone(stage: Stage):
    def answering(spec: Any, request: Any) -> Any:
        is_chat = isinstance(request, ChatRequest)
        return [Result(ChatReply("One, two", 1, "length"))] if is_chat else plausible(spec, request)

    stage.backend.script = answering
    shown = [("cat.png", PNG), ("minutes.txt", b"It opened in 1889.")]
    await stage.alice.send(stage.channel, f"{stage.mention} count", attachments=shown)
    [answer] = await replies(stage)
    await stage.alice.click(answer, label="Continue")
    request = newest_request(stage)
    assert request.prefill == "One, two"


async def test_the_buttons_are_for_the_person_who_was_answered(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} count")
    [answer] = await replies(stage)
    result = await stage.bob.click(answer, label="Undo")
    assert refusal(result).startswith("Only the person who was answered can use these buttons.")
    assert len(await replies(stage)) == 1


async def test_a_reply_that_fails_again_keeps_the_earlier_text(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} count")
    [answer] = await replies(stage)
    stage.backend.script = lambda spec, request: [Started(), PartialText("Other", chat=True)]
    await stage.alice.click(answer, label="Try another")
    assert stage.last_text.startswith("Other")
    await stage.event(InvalidRequest("The queue is full."))
    [answer] = await replies(stage)
    assert answer.content.startswith("Well met.")
    assert len(answer.components) == 1


async def test_a_long_reply_is_split_and_taken_back_as_a_whole(stage: Stage):
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(10))
    stage.backend.script = lambda spec, request: [Result(ChatReply(text, 1, "stop"))]
    await stage.alice.send(stage.channel, f"{stage.mention} tell me all")
    parts = await replies(stage)
    assert len(parts) == 2
    await stage.alice.click(parts[0], label="Undo")
    assert not await replies(stage)


async def test_thoughts_are_folded_away_and_shown_to_who_asks(stage: Stage):
    thoughts = PartialText("", chat=True, thoughts="They greet me.")
    reply = ChatReply("Hello!", 1, "stop", thoughts="They greet me.")
    stage.backend.script = lambda spec, request: [Started(), thoughts, PartialText("Hello!", chat=True), Result(reply)]
    await stage.alice.send(stage.channel, f"{stage.mention} hi")
    [answer] = await replies(stage)
    assert answer.content == "Hello!"
    [label] = [label for row in answer.components for label in _labels(row) if label.startswith("Thought for")]
    result = await stage.bob.click(answer, label=label)
    shown = followup(result)
    assert shown.ephemeral
    assert shown.content.startswith("They greet me.")
    await stage.alice.send(stage.channel, "and now?", reply_to=answer)
    assert ("assistant", "Hello!") in said(stage)


@pytest.mark.parametrize(("reason", "disabled"), [("stop", True), ("length", False)])
async def test_only_a_reply_that_the_model_did_not_end_can_be_continued(
    stage: Stage, reason: FinishReason, disabled: bool
):
    stage.backend.script = lambda spec, request: [Result(ChatReply("One", 1, reason))]
    await stage.alice.send(stage.channel, f"{stage.mention} count")
    [answer] = await replies(stage)
    rows: list[Any] = answer.components
    assert [button.disabled for button in rows[0].children] == [disabled, False, False]


async def test_another_long_reply_takes_the_place_of_all_of_the_first_and_can_be_taken_back(stage: Stage):
    def long(word: str) -> ChatReply:
        return ChatReply("\n\n".join(f"{word} {number}. " + "word " * 60 for number in range(7)), 1, "length")

    stage.backend.script = lambda spec, request: [Result(long("First"))]
    await stage.alice.send(stage.channel, f"{stage.mention} tell me all")
    answer, _ = await replies(stage)
    for word, button in (("Second", "Try another"), ("Third", "Continue"), ("Fourth", "Try another")):
        stage.backend.script = lambda spec, request, word=word: [Result(long(word))]
        await stage.alice.click(answer, label=button)
        shown = "\n".join(message.content for message in await replies(stage))
        assert shown.count(f"{word} 6.") == 1
        assert shown.count("First 6.") == 0
    assert "Second" not in "\n".join(message.content for message in await replies(stage))
    await stage.alice.click(answer, label="Undo")
    assert not await replies(stage)
