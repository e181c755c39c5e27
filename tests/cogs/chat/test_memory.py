"""What the model is told: who it is, what was said before, and what it doesn't learn."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import discord
import pytest

from cogs.client import Inkling
from inference import ChatReply, InvalidRequest, Result
from tests.cogs.chat.conversations import newest_request, replies, said
from tests.cogs.stage import Stage
from tests.fakes import plausible


async def test_the_system_message_says_who_where_and_when(stage: Stage):
    store = cast(Inkling, stage.bot).store
    await store.settings.servers.change(stage.guild.id, lambda server: replace(server, persona="You are a pirate."))
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    request = newest_request(stage)
    assert "You are a pirate." in request.system
    assert "channel general" in request.system
    assert f"{discord.utils.utcnow():%A}" in request.system


@pytest.mark.parametrize("several", [False, True])
async def test_names_are_told_if_several_people_speak(stage: Stage, several: bool):
    await stage.alice.send(stage.channel, f"{stage.mention} I like tea")
    [answer] = await replies(stage)
    await (stage.bob if several else stage.alice).send(stage.channel, "More", reply_to=answer)
    assert said(stage)[0] == ("user", "alice: I like tea" if several else "I like tea")
    request = newest_request(stage)
    assert ("begins with the name" in request.system) is several


async def test_a_reply_to_the_bot_goes_on_with_all_that_was_said(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} I like tea")
    [answer] = await replies(stage)
    await stage.bob.send(stage.channel, "And I coffee", reply_to=answer)
    assert said(stage) == [("user", "alice: I like tea"), ("assistant", "Well met."), ("user", "bob: And I coffee")]


async def test_a_reply_to_the_second_part_of_a_long_answer_knows_all_of_it(stage: Stage):
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(10))
    stage.backend.script = lambda spec, request: [Result(ChatReply(text, 1, "stop"))]
    await stage.alice.send(stage.channel, f"{stage.mention} tell me all")
    parts = await replies(stage)
    stage.backend.script = plausible
    await stage.alice.send(stage.channel, "Go on", reply_to=parts[-1])
    whole = "\n".join(content for role, content in said(stage) if role == "assistant")
    assert [whole.count(f"Paragraph {number}.") for number in range(10)] == [1] * 10


async def test_the_text_of_several_pictures_is_remembered(stage: Stage):
    await stage.alice.slash(stage.channel, "imagine", prompt="a fox", count=2)
    drawing = stage.channel.last_message
    assert drawing is not None
    assert drawing.flags.components_v2
    await stage.alice.send(stage.channel, f"{stage.mention} Why a fox?", reply_to=drawing)
    assert said(stage) == [("assistant", "> a fox"), ("user", "Why a fox?")]


async def test_a_direct_message_needs_no_mention_and_is_remembered(stage: Stage):
    await stage.alice.send_dm("hello")
    await stage.alice.send_dm("and again")
    assert said(stage) == [("user", "hello"), ("assistant", "Well met."), ("user", "and again")]


async def test_edited_and_deleted_messages_count_as_they_are_now(stage: Stage):
    asked = await stage.alice.send(stage.channel, f"{stage.mention} My cat is Tom")
    [answer] = await replies(stage)
    await stage.alice.edit(asked, f"{stage.mention} My cat is Kit")
    await stage.alice.send(stage.channel, "Its name?", reply_to=answer)
    assert said(stage)[0] == ("user", "My cat is Kit")


async def test_a_deleted_middle_ends_the_memory_and_is_told(stage: Stage):
    asked = await stage.alice.send(stage.channel, f"{stage.mention} My cat is Tom")
    [answer] = await replies(stage)
    await stage.alice.delete(asked)
    await stage.alice.send(stage.channel, "Its name?", reply_to=answer)
    assert said(stage) == [("assistant", "Well met."), ("user", "Its name?")]
    assert "An earlier message is gone" in stage.last_text


async def test_a_notice_that_an_answer_is_there_is_not_remembered(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    await stage.alice.slash(stage.channel, "chat", topic="Plans")
    [thread] = stage.channel.threads
    with monkeypatch.context() as patch:
        patch.setattr("cogs.common.reply_session._PATIENCE", -1.0)
        await stage.alice.send(thread, f"{stage.mention} I am in")
    assert [message.content.split(" ", 1)[1] for message in await replies(stage, thread)][-1] == "I have answered you."
    await stage.alice.send(thread, f"{stage.mention} and you?")
    assert said(stage) == [("user", "I am in"), ("assistant", "Well met."), ("user", "and you?")]


async def test_apologies_are_not_remembered_as_talk(stage: Stage):
    stage.backend.script = lambda spec, request: [InvalidRequest("The queue is full.")]
    await stage.alice.send_dm("hello")
    stage.backend.script = plausible
    await stage.alice.send_dm("and now?")
    assert said(stage) == [("user", "hello"), ("user", "and now?")]


async def test_a_refused_message_does_not_come_back_as_memory(stage: Stage):
    engine = cast(Inkling, stage.bot).engine
    safety = engine.config.safety.model_copy(update={"words": ("grue",)})
    engine.config = engine.config.model_copy(update={"safety": safety})
    await stage.alice.send_dm("tell me of the grue")
    await stage.alice.send_dm("go on")
    assert said(stage) == [("user", "go on")]


async def test_the_longest_message_is_read_whole(stage: Stage):
    await stage.alice.send_dm("word " * 399 + "last!")
    assert len(said(stage)[-1][1]) == 2000
    assert said(stage)[-1][1].endswith("last!")


@pytest.mark.parametrize("count", [70])
async def test_a_long_chain_is_read_up_to_a_limit(stage: Stage, count: int):
    message = await stage.alice.send(stage.channel, f"{stage.mention} 0")
    for number in range(1, count):
        message = await stage.bob.send(stage.channel, f"{number}", reply_to=message)
    await stage.alice.send(stage.channel, f"{stage.mention} last", reply_to=message)
    assert len(said(stage)) == 61
    assert "I read only the last messages of this conversation." in stage.last_text
    assert said(stage)[-1] == ("user", "alice: last")


async def test_old_messages_that_did_not_fit_are_named(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(ChatReply("Fine.", 1, "stop", num_omitted=3))]
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    assert "The 3 oldest messages were too much for the model" in stage.last_text


async def test_an_escaped_reply_is_remembered_as_it_was_written(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(ChatReply("See https://a.example/b, @everyone", 1, "stop"))]
    await stage.alice.send_dm("where?")
    await stage.alice.send_dm("thanks")
    assert said(stage)[1] == ("assistant", "See https://a.example/b, @everyone")


async def test_a_taken_back_reply_is_forgotten(stage: Stage):
    await stage.alice.send_dm("hello")
    [answer] = [each for each in stage.alice.user.dm_channel.history() if each.author == stage.bot.user]
    await stage.alice.user.click(answer, label="Undo")
    await stage.alice.send_dm("and now?")
    assert said(stage) == [("user", "hello"), ("user", "and now?")]
