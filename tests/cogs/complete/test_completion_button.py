"""The buttons below a text: Continue, Undo, Try another, Delete, and who may press them."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from inference import Completion, Config, GenerationFailed, Overloaded, Result
from tests.cogs.complete.completions import (
    chatting,
    complete_count,
    counting,
    newest_request,
    private_text,
    store,
    stored_count,
    text,
)
from tests.cogs.imagine.images import button_rows, press, restart
from tests.cogs.stage import Stage, first, refusal


async def test_continue_extends_the_whole_text_in_the_same_message(stage: Stage):
    message = await complete_count(stage)
    assert button_rows(message) == [["Continue", "Try another", "(Undo)", "Delete"]]
    await press(stage, message, "Continue")
    assert (newest_request(stage).prompt, newest_request(stage).prefill) == ("Count:", " 1")
    await press(stage, message, "Continue")
    assert (newest_request(stage).prompt, newest_request(stage).prefill) == ("Count:", " 1 2")
    assert text(message) == "**Count:** 1 2 3"
    assert len(stage.channel.history()) == 1


async def test_each_segment_has_its_own_seed_and_the_settings_of_the_first(stage: Stage):
    options = {"temperature": 0.3, "top-p": 0.5, "repetition-penalty": 1.5, "stop": "END", "model": "gpt2"}
    message = await complete_count(stage, **options)
    before = newest_request(stage)
    await press(stage, message, "Continue")
    after = newest_request(stage)
    assert after.seed != before.seed
    assert f"seed {after.seed}" in message.content
    assert (after.temperature, after.top_p, after.repetition_penalty, after.stop) == (0.3, 0.5, 1.5, ("END",))
    assert (after.model, after.owner) == ("gpt2", str(stage.alice.id))


async def test_undo_removes_one_segment_at_a_time_down_to_the_first(stage: Stage):
    message = await complete_count(stage)
    await press(stage, message, "Continue")
    await press(stage, message, "Continue")
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1 2"
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1"
    assert message.content.endswith("-# seed 7")
    assert button_rows(message) == [["Continue", "Try another", "(Undo)", "Delete"]]
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1 2"


async def test_try_another_adds_a_variant_of_the_last_segment(stage: Stage):
    message = await complete_count(stage)
    await press(stage, message, "Continue")
    stage.backend.script = lambda spec, request: [Result(Completion(" too", 99))]
    await press(stage, message, "Try another")
    assert (newest_request(stage).prefill, newest_request(stage).n) == (" 1", 1)
    assert text(message) == "**Count:** 1 too"
    assert button_rows(message)[1] == ["Previous", "(2/2)", "(Next)"]
    await press(stage, message, "Previous")
    assert text(message) == "**Count:** 1 2"
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1"
    assert len(button_rows(message)) == 1


async def test_the_shown_variant_is_continued(stage: Stage):
    message = await complete_count(stage, alternatives=3)
    assert text(message) == "**Count:** 1"
    assert button_rows(message)[1] == ["(Previous)", "(1/3)", "Next"]
    await press(stage, message, "Next")
    assert text(message) == "**Count:** 1b"
    assert message.content.endswith("-# seed 8")
    await press(stage, message, "Next")
    assert text(message) == "**Count:** 1c"
    assert button_rows(message)[1] == ["Previous", "(3/3)", "(Next)"]
    await press(stage, message, "Continue")
    assert (newest_request(stage).prefill, newest_request(stage).n) == (" 1c", 3)
    assert text(message) == "**Count:** 1c 2"


async def test_try_another_is_disabled_at_temperature_zero(stage: Stage):
    assert button_rows(await complete_count(stage, temperature=0)) == [
        ["Continue", "(Try another)", "(Undo)", "Delete"]
    ]


async def test_delete_removes_the_message_and_the_stored_data(stage: Stage):
    message = await complete_count(stage)
    assert await stored_count(stage) == 1
    await press(stage, message, "Delete")
    assert stage.channel.history() == []
    assert await stored_count(stage) == 0


async def test_stored_data_is_deleted_with_a_message_that_somebody_else_deletes(stage: Stage):
    message = await complete_count(stage)
    await message.message.delete()
    await stage.env.settle()
    assert await stored_count(stage) == 0


async def test_all_buttons_work_after_restarts(stage: Stage, config: Config):
    message = await complete_count(stage, alternatives=2)
    await restart(stage, config)
    await press(stage, message, "Next")
    await restart(stage, config)
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1b 2"
    await restart(stage, config)
    await press(stage, message, "Try another")
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1b"
    await restart(stage, config)
    await press(stage, message, "Delete")
    assert stage.channel.history() == []


async def test_an_undo_of_the_only_segment_changes_nothing(stage: Stage):
    message = await complete_count(stage)
    await press(stage, message, "Continue")
    row = await store(stage).completions.shown_by(message.id)
    assert row is not None
    await store(stage).completions.rewrite(
        row.id, row.history.without_last_segment()
    )  # as if a press had changed the text without an edit of the message
    assert private_text(await press(stage, message, "Undo")).startswith("Nothing is left to undo.")
    assert text(message) == "**Count:** 1"
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1 2"


async def test_a_continuation_that_can_not_be_stored_is_not_shown(stage: Stage):
    message = await complete_count(stage)
    await store(stage).database.read("PRAGMA query_only = ON")  # acts like a full disk
    assert private_text(await press(stage, message, "Continue")).startswith("I can't read or store anything")
    assert text(message) == "**Count:** 1"
    assert button_rows(message) == [["Continue", "Try another", "(Undo)", "Delete"]]


@pytest.mark.parametrize("label", ["Continue", "Try another", "Undo", "Delete", "Previous", "Next"])
async def test_other_people_can_not_press_the_buttons(stage: Stage, label: str):
    message = await complete_count(stage, alternatives=3)
    await press(stage, message, "Continue")
    await press(stage, message, "Next")
    before = message.content
    said = refusal(await press(stage, message, label, stage.bob))
    assert said.startswith("Only the person who asked for this can use its buttons.")
    assert message.content == before
    assert len(stage.backend.requests) == 2


async def test_buttons_say_that_their_text_is_no_longer_stored(stage: Stage):
    message = await complete_count(stage)
    await store(stage).completions.forget_messages([message.id])
    assert refusal(await press(stage, message, "Continue")).startswith("I no longer know how this was written")


async def test_a_second_press_while_the_first_is_running_is_refused_in_private(stage: Stage):
    message = await complete_count(stage, alternatives=2)
    stage.backend.script = lambda spec, request: []
    await press(stage, message, "Continue")
    for label in ("Next", "Continue", "Delete"):
        assert refusal(await press(stage, message, label)).startswith("This text is still being written.")
    assert len(stage.backend.requests) == 2
    await stage.event(Result(Completion(" 2", 8)))
    assert text(message) == "**Count:** 1 2"
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1"


@pytest.mark.parametrize(
    "error", [GenerationFailed("It broke."), Overloaded("You have 4 requests waiting already.", retry_after=9)]
)
async def test_a_failure_leaves_text_and_buttons_unchanged(stage: Stage, error: GenerationFailed | Overloaded):
    message = await complete_count(stage)
    before, buttons_before = message.content, button_rows(message)
    stage.backend.script = lambda spec, request: [*counting(spec, request)[:1], error]
    assert private_text(await press(stage, message, "Continue")).startswith(error.user_message)
    assert (message.content, button_rows(message)) == (before, buttons_before)
    stage.backend.script = counting
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1 2"


async def test_an_empty_continuation_is_reported_in_private_and_the_text_stays(stage: Stage):
    message = await complete_count(stage)
    stage.backend.script = lambda spec, request: [Result(Completion("\n", 4, finish_reason="stop"))]
    assert private_text(await press(stage, message, "Continue")).startswith("The model added nothing this time")
    assert text(message) == "**Count:** 1"


async def test_a_chat_answer_is_shown_below_the_quoted_prompt_and_continued_there(stage: Stage):
    stage.backend.script = chatting
    result = await stage.alice.slash(stage.channel, "complete", prompt="Count, please", seed=7)
    message = first(result)
    assert message.content == "> Count, please\n\n1\n-# seed 7"
    await press(stage, message, "Continue")
    assert text(message) == "> Count, please\n\n1 2"


async def test_a_text_that_outgrows_its_message_gets_a_file_that_undo_removes(stage: Stage):
    message = await complete_count(stage)
    stage.backend.script = lambda spec, request: [Result(Completion(" 2" * 1000, 4))]
    await press(stage, message, "Continue")
    assert len(stage.channel.history()) == 1
    [file] = message.attachments
    assert (await file.read()).decode() == "Count: 1" + " 2" * 1000
    await press(stage, message, "Undo")
    assert text(message) == "**Count:** 1"
    assert message.attachments == []


async def test_a_new_text_that_can_not_be_stored_is_shown_without_buttons_and_says_so(stage: Stage):
    await store(stage).database.read("PRAGMA query_only = ON")  # acts like a full disk
    message = await complete_count(stage)
    assert text(message) == "**Count:** 1"
    assert not message.components
    assert message.content.endswith("The bot could not note how this was written, so there are no buttons.")


async def test_a_private_text_has_buttons_and_is_deleted_when_it_expires(stage: Stage):
    await store(stage).settings.people.change(stage.alice.id, lambda settings: replace(settings, private=True))
    message = await complete_count(stage)
    assert message.ephemeral
    await press(stage, message, "Continue")
    assert text(message) == "**Count:** 1 2"
    await store(stage).completions.forget_expired(time.time())
    assert await stored_count(stage) == 1
    await store(stage).completions.forget_expired(time.time() + 2 * 24 * 3600)
    assert await stored_count(stage) == 0
