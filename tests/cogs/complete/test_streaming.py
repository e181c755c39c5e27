"""Streaming of a text: its pace, Stop, and several texts at the same time."""

from __future__ import annotations

from inference import Completion, Config, PartialText, Queued, RequestTimeout, Result
from tests.cogs.complete.completions import complete_count, counting, stored_count, text
from tests.cogs.imagine.images import button_rows, press, restart
from tests.cogs.stage import Stage, buttons, first


def edits(stage: Stage) -> list[str]:
    """Return the content of each edit, in order."""
    return [
        request.json["content"]
        for request in stage.env.http_requests
        if request.method == "PATCH" and isinstance(request.json, dict) and "content" in request.json
    ]


async def test_the_text_is_streamed_into_its_message(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" there")]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert message.content == "**Once** there ▌"
    assert buttons(message) == ["Stop"]
    await stage.event(Result(Completion(" there was", 1, finish_reason="stop")))
    assert message.content == "**Once** there was\n-# seed 1 · the model ended here"


async def test_a_chat_answer_is_streamed_below_the_quoted_prompt(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText("One", chat=True)]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count"))
    assert message.content == "> Count\n\nOne ▌"


async def test_the_message_is_edited_at_most_every_1_5_seconds_with_the_latest_text(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" 1")]
    await stage.alice.slash(stage.channel, "complete", prompt="Count:")
    before = len(edits(stage))
    for number in range(2, 20):
        stage.backend.listeners[-1](PartialText(f" {number}"))
        await stage.env.advance_time(0.4)
    shown = edits(stage)[before:]
    assert 3 <= len(shown) <= 18 * 0.4 / 1.5 + 1
    assert shown == sorted(set(shown), key=shown.index), "nothing is sent twice"
    await stage.event(Result(Completion(" 20", 1)))
    assert edits(stage)[-1] == "**Count:** 20\n-# seed 1"
    assert all(
        request.json["allowed_mentions"] == {"parse": []}
        for request in stage.env.http_requests
        if request.method == "PATCH" and isinstance(request.json, dict)
    )


async def test_stop_keeps_the_partial_text_and_adds_its_buttons(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" 1")]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count:", seed=7))
    await press(stage, message, "Stop")
    assert stage.backend.tickets[-1].cancelled
    assert message.content == "**Count:** 1\n-# seed 7 · stopped"
    assert button_rows(message) == [["Continue", "Try another", "(Undo)", "Delete"]]
    stage.backend.script = counting
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1 2"


async def test_stop_keeps_the_partial_segment(stage: Stage):
    message = await complete_count(stage)
    stage.backend.script = lambda spec, request: [PartialText(" 2 and")]
    await press(stage, message, "Continue")
    assert message.content == "**Count:** 1 2 and ▌"
    await press(stage, message, "Stop")
    assert text(message) == "**Count:** 1 2 and"
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1"


async def test_stop_before_the_first_new_word_keeps_the_text(stage: Stage):
    message = await complete_count(stage)
    stage.backend.script = lambda spec, request: [Queued(2)]
    await press(stage, message, "Continue")
    assert message.content == "**Count:** 1\nNumber 2 in line"
    await press(stage, message, "Stop")
    assert message.content == "**Count:** 1\n-# seed 7"
    assert button_rows(message) == [["Continue", "Try another", "(Undo)", "Delete"]]


async def test_a_new_text_that_is_stopped_before_its_first_word_is_not_stored(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(2)]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count:"))
    await press(stage, message, "Stop")
    assert message.content == "Cancelled."
    assert await stored_count(stage) == 0


async def test_only_the_person_who_asked_can_stop_a_text(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" 1")]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count:"))
    await press(stage, message, "Stop", stage.bob)
    assert not stage.backend.tickets[-1].cancelled
    assert message.content == "**Count:** 1 ▌"


async def test_a_timeout_keeps_the_partial_text_and_says_why(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" 1"), RequestTimeout("This took too long.")]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count:", seed=7))
    assert message.content.startswith("**Count:** 1\n-# seed 7 · This took too long.\n-# Error ")
    assert buttons(message)[0] == "Continue"


async def test_a_restart_keeps_the_partial_text_until_the_text_is_written_with_the_same_seed(
    stage: Stage, config: Config
):
    stage.backend.script = lambda spec, request: [PartialText(" 1")]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count:", seed=7))
    await stage.bot.close()
    assert message.content == "**Count:** 1\n-# The bot is being restarted. This goes on after that."
    stage.backend.script = counting
    await restart(stage, config)
    assert message.content == "**Count:** 1\n-# seed 7"
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1 2"


async def test_deleting_the_message_cancels_the_request_and_stores_nothing(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" 1")]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Count:"))
    await message.message.delete()
    stage.backend.listeners[-1](PartialText(" 2"))
    await stage.env.advance_time(2)
    assert stage.backend.tickets[-1].cancelled
    assert await stored_count(stage) == 0


async def test_stop_cancels_only_one_of_three_simultaneous_texts(stage: Stage):
    carol = stage.guild.add_member(stage.env.create_user("carol"))
    stage.backend.script = lambda spec, request: []
    people = (stage.alice, stage.bob, carol)
    messages = [first(await who.slash(stage.channel, "complete", prompt=f"{who.name}:", seed=7)) for who in people]
    for listener, who in zip(stage.backend.listeners, people, strict=True):
        listener(PartialText(f" {who.name} writes"))
    await stage.env.settle()
    assert [message.content for message in messages] == [f"**{who.name}:** {who.name} writes ▌" for who in people]
    await press(stage, messages[1], "Stop", stage.bob)
    assert [ticket.cancelled for ticket in stage.backend.tickets] == [False, True, False]
    for index in (0, 2):
        stage.backend.listeners[index](Result(Completion(f" {people[index].name} has written", 7)))
    await stage.env.settle()
    assert [text(message) for message in messages] == [
        "**alice:** alice has written",
        "**bob:** bob writes",
        "**carol:** carol has written",
    ]
