"""Replies to a text go on with it."""

from __future__ import annotations

import discord
import pytest
from simcord import MemberActor

from inference import CaptionRequest, Completion, Config, InvalidRequest, Message, Result
from tests.cogs.complete.completions import chatting, counted, counting, kept, newest, store
from tests.cogs.imagine.images import restart
from tests.cogs.stage import Stage, first, followup
from tests.fakes import PNG, plausible

_PORTAL = discord.Intents(guilds=True, messages=True)
"""What an operator has who switched on nothing."""


async def reply(stage: Stage, to: discord.Message, words: str, who: MemberActor | None = None) -> discord.Message:
    """Reply with the bot's name and `words`; returns what the bot answers."""
    await (who or stage.alice).send(stage.channel, f"{stage.mention} {words}", reply_to=to)
    answer = stage.channel.last_message
    assert answer is not None
    return answer


async def thread(stage: Stage, **options: object) -> discord.Message:
    """`Count:` and the first number, by a model that goes on."""
    return (await counted(stage, **options)).message


async def talk(stage: Stage) -> discord.Message:
    """The same by a model that answers."""
    stage.backend.script = chatting
    return first(await stage.alice.slash(stage.channel, "complete", prompt="Count")).message


async def test_the_words_of_a_reply_go_on_with_the_text(stage: Stage):
    answer = await reply(stage, await thread(stage), "and then")
    assert newest(stage).messages == (Message("user", "Count:"), Message("assistant", " 1"))
    assert (newest(stage).prompt, newest(stage).prefill) == (" and then", "")
    assert answer.content.startswith("… **and then** 1\n-# seed ")


@pytest.mark.parametrize(("words", "prompt"), [(", two", ", two"), ("two", " two")])
async def test_words_get_a_space_before_them_unless_they_are_punctuation(stage: Stage, words: str, prompt: str):
    await reply(stage, await thread(stage), words)
    assert newest(stage).prompt == prompt


async def test_the_chain_of_replies_gives_the_earlier_messages(stage: Stage):
    answer = await reply(stage, await reply(stage, await thread(stage), "and"), "or")
    said = [turn.content for turn in newest(stage).messages]
    assert [*said, newest(stage).prompt] == ["Count:", " 1", " and", " 1", " or"]
    assert answer.content.startswith("… **or** 1")


async def test_earlier_chat_becomes_messages(stage: Stage):
    answer = await reply(stage, await reply(stage, await talk(stage), "Go on"), "And?")
    assert newest(stage).messages == (
        Message("user", "Count"),
        Message("assistant", " 1"),
        Message("user", "Go on"),
        Message("assistant", " 1"),
    )
    assert newest(stage).prompt == "And?"
    assert answer.content.startswith("> And?\n\n1\n")


async def test_settings_and_model_stay_but_the_text_belongs_to_who_replies(stage: Stage):
    message = await thread(stage, temperature=0.3, model="gpt2", stop="END", alternatives=3)
    before = newest(stage)
    answer = await reply(stage, message, "and", stage.bob)
    after = newest(stage)
    assert (after.temperature, after.model, after.stop) == (0.3, "gpt2", ("END",))
    assert (after.n, after.owner) == (1, str(stage.bob.id))
    assert after.seed != before.seed
    assert followup(await stage.alice.click(answer, label="Continue")).ephemeral
    await stage.bob.click(answer, label="Continue")
    assert stage.last_text.startswith("… **and** 1 2")


async def test_buttons_below_an_answer_remember_the_chain_too(stage: Stage):
    answer = await reply(stage, await thread(stage), "and")
    await stage.alice.click(answer, label="Continue")
    assert [turn.content for turn in newest(stage).messages] == ["Count:", " 1"]
    assert (newest(stage).prompt, newest(stage).prefill) == (" and", " 1")
    assert stage.last_text.startswith("… **and** 1 2\n-# seed")
    await stage.alice.click(answer, label="Undo")
    assert stage.last_text.startswith("… **and** 1\n-# seed")


async def test_nobody_elses_words_are_kept_with_a_text(stage: Stage):
    answer = await reply(stage, await thread(stage), "and", stage.bob)
    row = await store(stage).completions.shown_by(answer.id)
    assert row is not None
    assert (row.owner, row.history.request.messages, row.history.request.prompt) == (stage.bob.id, (), " and")


async def test_it_works_after_a_restart(stage: Stage, config: Config):
    answer = await reply(stage, await thread(stage), "and")
    await restart(stage, config)
    await reply(stage, answer, "or")
    assert [turn.content for turn in newest(stage).messages] == ["Count:", " 1", " and", " 1"]


@pytest.mark.simcord(approved_intents=_PORTAL)
async def test_it_works_without_the_message_content_intent(stage: Stage):
    await reply(stage, await reply(stage, await thread(stage), "and"), "or")
    assert [turn.content for turn in newest(stage).messages] == ["Count:", " 1", " and", " 1"]


async def test_a_text_without_a_stored_thread_is_read_from_its_message(stage: Stage):
    plain, answered = await thread(stage), await talk(stage)
    await store(stage).completions.forget_owner(stage.alice.id)
    await reply(stage, plain, "and")
    assert newest(stage).messages == (Message("assistant", "Count: 1"),)
    await reply(stage, answered, "Go on")
    assert newest(stage).messages == (Message("user", "Count"), Message("assistant", "1"))
    assert newest(stage).prompt == "Go on"


async def test_a_deleted_message_ends_the_chain(stage: Stage):
    beginning = await thread(stage)
    answer = await reply(stage, beginning, "and")
    await beginning.delete()
    await stage.env.settle()
    await reply(stage, answer, "or")
    assert [turn.content for turn in newest(stage).messages] == [" and", " 1"]


async def test_the_chain_is_read_for_ten_texts(stage: Stage):
    answer = await thread(stage)
    for number in range(12):
        answer = await reply(stage, answer, f"part {number}")
    assert len(newest(stage).messages) == 20
    assert newest(stage).messages[0].content == " part 1"


async def test_a_reply_to_another_message_of_the_bot_is_not_a_text(stage: Stage):
    stage.backend.script = plausible
    picture = await stage.alice.send(stage.channel, f"{stage.mention} caption", attachments=[("a.png", PNG)])
    described = stage.channel.last_message
    assert described is not None
    await reply(stage, described, "wonderful")
    await reply(stage, picture, "wonderful")
    assert [type(request) for request in stage.backend.requests] == [CaptionRequest]


async def test_a_text_of_someone_elses_chain_is_left_alone_without_the_bots_name(stage: Stage):
    message = await thread(stage)
    await stage.bob.send(stage.channel, "wonderful", reply_to=message)
    assert len(stage.backend.requests) == 1


async def test_what_fails_is_told_in_the_reply_and_the_text_stays(stage: Stage):
    message = await thread(stage)
    stage.backend.script = lambda spec, request: [InvalidRequest("It does not fit.")]
    answer = await reply(stage, message, "and")
    assert answer.content == "It does not fit."
    assert stage.channel.history()[0].content == "**Count:** 1\n-# seed 7"
    assert await kept(stage) == 1


async def test_a_text_begun_by_a_mention_can_be_gone_on_with_too(stage: Stage):
    stage.backend.script = counting
    await stage.alice.send(stage.channel, f"{stage.mention} complete Count:")
    begun = stage.channel.last_message
    assert begun is not None
    await stage.alice.click(begun, label="Continue")
    assert newest(stage).messages == ()
    stage.backend.script = lambda spec, request: [Result(Completion(" 3", 5))]
    await reply(stage, begun, "or")
    assert [turn.content for turn in newest(stage).messages] == ["Count:", " 1 2"]


async def test_the_command_by_name_goes_on_with_a_text_too(stage: Stage):
    message = await thread(stage)
    answer = await reply(stage, message, "complete and then")
    assert [*(turn.content for turn in newest(stage).messages), newest(stage).prompt] == ["Count:", " 1", " and then"]
    assert answer.content.startswith("… **and then** 1")
    answer = await reply(stage, message, "complete")
    assert answer.content == "Add the words that the text is to go on with, or press Continue below it."
