"""Replies that continue a text."""

from __future__ import annotations

import discord
import pytest
from simcord import MemberActor

from inference import CaptionRequest, ChatRequest, Completion, Config, InvalidRequest, Message, Result
from tests.cogs.complete.completions import chatting, complete_count, counting, newest_request, store, stored_count
from tests.cogs.imagine.images import restart
from tests.cogs.stage import Stage, first, followup
from tests.fakes import PNG, plausible

_NO_PRIVILEGED_INTENTS = discord.Intents(guilds=True, messages=True)
"""The intents of an operator who has enabled no privileged intent."""


async def reply(stage: Stage, to: discord.Message, words: str, who: MemberActor | None = None) -> discord.Message:
    """Reply with a mention of the bot and `words`, and return the answer of the bot."""
    await (who or stage.alice).send(stage.channel, f"{stage.mention} {words}", reply_to=to)
    answer = stage.channel.last_message
    assert answer is not None
    return answer


async def plain_text(stage: Stage, **options: object) -> discord.Message:
    """Return `Count:` and the first number, written by a model that continues texts."""
    return (await complete_count(stage, **options)).message


async def chat_text(stage: Stage) -> discord.Message:
    """Return the same, written by a chat model."""
    stage.backend.script = chatting
    return first(await stage.alice.slash(stage.channel, "complete", prompt="Count")).message


async def test_a_reply_continues_the_text(stage: Stage):
    answer = await reply(stage, await plain_text(stage), "and then")
    assert newest_request(stage).messages == (Message("user", "Count:"), Message("assistant", " 1"))
    assert (newest_request(stage).prompt, newest_request(stage).prefill) == (" and then", "")
    assert answer.content.startswith("… **and then** 1\n-# seed ")


@pytest.mark.parametrize(("words", "prompt"), [(", two", ", two"), ("two", " two")])
async def test_a_reply_is_joined_with_a_space_unless_it_begins_with_punctuation(stage: Stage, words: str, prompt: str):
    await reply(stage, await plain_text(stage), words)
    assert newest_request(stage).prompt == prompt


async def test_the_reply_chain_becomes_the_earlier_messages(stage: Stage):
    answer = await reply(stage, await reply(stage, await plain_text(stage), "and"), "or")
    said = [each.content for each in newest_request(stage).messages]
    assert [*said, newest_request(stage).prompt] == ["Count:", " 1", " and", " 1", " or"]
    assert answer.content.startswith("… **or** 1")


async def test_earlier_chat_becomes_user_and_assistant_messages(stage: Stage):
    answer = await reply(stage, await reply(stage, await chat_text(stage), "Go on"), "And?")
    assert newest_request(stage).messages == (
        Message("user", "Count"),
        Message("assistant", " 1"),
        Message("user", "Go on"),
        Message("assistant", " 1"),
    )
    assert newest_request(stage).prompt == "And?"
    assert answer.content.startswith("> And?\n\n1\n")


async def test_a_reply_keeps_settings_and_model_and_belongs_to_its_author(stage: Stage):
    message = await plain_text(stage, temperature=0.3, model="gpt2", stop="END", alternatives=3)
    before = newest_request(stage)
    answer = await reply(stage, message, "and", stage.bob)
    after = newest_request(stage)
    assert (after.temperature, after.model, after.stop) == (0.3, "gpt2", ("END",))
    assert (after.n, after.owner) == (1, str(stage.bob.id))
    assert after.seed != before.seed
    assert followup(await stage.alice.click(answer, label="Continue")).ephemeral
    await stage.bob.click(answer, label="Continue")
    assert stage.last_text.startswith("… **and** 1 2")


async def test_the_buttons_of_an_answer_use_the_reply_chain(stage: Stage):
    answer = await reply(stage, await plain_text(stage), "and")
    await stage.alice.click(answer, label="Continue")
    assert [each.content for each in newest_request(stage).messages] == ["Count:", " 1"]
    assert (newest_request(stage).prompt, newest_request(stage).prefill) == (" and", " 1")
    assert stage.last_text.startswith("… **and** 1 2\n-# seed")
    await stage.alice.click(answer, label="Undo")
    assert stage.last_text.startswith("… **and** 1\n-# seed")


async def test_the_words_of_other_people_are_not_stored_with_a_text(stage: Stage):
    answer = await reply(stage, await plain_text(stage), "and", stage.bob)
    row = await store(stage).completions.shown_by(answer.id)
    assert row is not None
    assert (row.owner, row.history.request.messages, row.history.request.prompt) == (stage.bob.id, (), " and")


async def test_the_reply_chain_works_after_a_restart(stage: Stage, config: Config):
    answer = await reply(stage, await plain_text(stage), "and")
    await restart(stage, config)
    await reply(stage, answer, "or")
    assert [each.content for each in newest_request(stage).messages] == ["Count:", " 1", " and", " 1"]


@pytest.mark.simcord(approved_intents=_NO_PRIVILEGED_INTENTS)
async def test_the_reply_chain_works_without_the_message_content_intent(stage: Stage):
    await reply(stage, await reply(stage, await plain_text(stage), "and"), "or")
    assert [each.content for each in newest_request(stage).messages] == ["Count:", " 1", " and", " 1"]


async def test_a_text_without_stored_data_is_read_from_its_message(stage: Stage):
    plain, answered = await plain_text(stage), await chat_text(stage)
    await store(stage).completions.forget_owner(stage.alice.id)
    await reply(stage, plain, "and")
    assert newest_request(stage).messages == (Message("assistant", "Count: 1"),)
    await reply(stage, answered, "Go on")
    assert newest_request(stage).messages == (Message("user", "Count"), Message("assistant", "1"))
    assert newest_request(stage).prompt == "Go on"


async def test_a_deleted_message_ends_the_chain(stage: Stage):
    first_text = await plain_text(stage)
    answer = await reply(stage, first_text, "and")
    await first_text.delete()
    await stage.env.settle()
    await reply(stage, answer, "or")
    assert [each.content for each in newest_request(stage).messages] == [" and", " 1"]


async def test_the_reply_chain_is_limited_to_ten_texts(stage: Stage):
    answer = await plain_text(stage)
    for number in range(12):
        answer = await reply(stage, answer, f"part {number}")
    assert len(newest_request(stage).messages) == 20
    assert newest_request(stage).messages[0].content == " part 1"


async def test_a_reply_to_another_message_of_the_bot_is_not_continued(stage: Stage):
    stage.backend.script = plausible
    picture = await stage.alice.send(stage.channel, f"{stage.mention} caption", attachments=[("a.png", PNG)])
    described = stage.channel.last_message
    assert described is not None
    await reply(stage, described, "wonderful")
    await reply(stage, picture, "wonderful")
    assert [type(each) for each in stage.backend.requests] == [CaptionRequest, ChatRequest, CaptionRequest, ChatRequest]


async def test_a_reply_to_a_text_without_a_mention_of_the_bot_is_ignored(stage: Stage):
    message = await plain_text(stage)
    await stage.bob.send(stage.channel, "wonderful", reply_to=message)
    assert len(stage.backend.requests) == 1


async def test_a_failure_is_reported_in_the_reply_and_the_text_stays(stage: Stage):
    message = await plain_text(stage)
    stage.backend.script = lambda spec, request: [InvalidRequest("It does not fit.")]
    answer = await reply(stage, message, "and")
    assert answer.content == "It does not fit."
    assert stage.channel.history()[0].content == "**Count:** 1\n-# seed 7"
    assert await stored_count(stage) == 1


async def test_a_text_that_a_mention_started_can_be_continued(stage: Stage):
    stage.backend.script = counting
    await stage.alice.send(stage.channel, f"{stage.mention} complete Count:")
    started = stage.channel.last_message
    assert started is not None
    await stage.alice.click(started, label="Continue")
    assert newest_request(stage).messages == ()
    stage.backend.script = lambda spec, request: [Result(Completion(" 3", 5))]
    await reply(stage, started, "or")
    assert [each.content for each in newest_request(stage).messages] == ["Count:", " 1 2"]


async def test_a_reply_with_the_command_name_also_continues_the_text(stage: Stage):
    message = await plain_text(stage)
    answer = await reply(stage, message, "complete and then")
    assert [*(each.content for each in newest_request(stage).messages), newest_request(stage).prompt] == [
        "Count:",
        " 1",
        " and then",
    ]
    assert answer.content.startswith("… **and then** 1")
    answer = await reply(stage, message, "complete")
    assert answer.content == "Add the words that the text is to go on with, or press Continue below it."
