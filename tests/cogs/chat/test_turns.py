"""Turns: what happens to messages that arrive while the bot writes, and to an answer that is cut off."""

from __future__ import annotations

from inference import ChatReply, Config, PartialText, Queued, Result, Started
from tests.cogs.chat.conversations import replies, said
from tests.cogs.stage import Stage
from tests.cogs.test_restart import kill
from tests.fakes import plausible


async def test_a_second_message_while_it_writes_is_taken_after(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(1)]
    await stage.alice.send_dm("one")
    await stage.alice.send_dm("two")
    await stage.alice.send_dm("three")
    assert len(stage.backend.requests) == 1
    stage.backend.script = plausible
    await stage.event(Result(ChatReply("First.", 1, "stop")))
    assert said(stage) == [("user", "one"), ("assistant", "First."), ("user", "two\nthree")]
    assert len(stage.backend.requests) == 2


async def test_each_person_in_a_thread_is_answered_once_and_after_each_other(stage: Stage):
    await stage.alice.slash(stage.channel, "chat", topic="Plans")
    [thread] = stage.channel.threads
    stage.backend.script = lambda spec, request: [Queued(1)]
    await stage.alice.send(thread, f"{stage.mention} a1")
    await stage.bob.send(thread, f"{stage.mention} b1")
    await stage.alice.send(thread, f"{stage.mention} a2")
    await stage.event(Result(ChatReply("To a1.", 1, "stop")))
    assert said(stage) == [("user", "alice: a1"), ("assistant", "To a1."), ("user", "bob: b1")]
    await stage.event(Result(ChatReply("To b1.", 1, "stop")))
    assert said(stage)[-3:] == [("user", "bob: b1"), ("assistant", "To b1."), ("user", "alice: a2")]
    await stage.event(Result(ChatReply("To a2.", 1, "stop")))
    assert len(await replies(stage, thread)) == 4


async def test_the_word_stop_stops_the_answer(stage: Stage):
    stage.backend.script = lambda spec, request: [Started(), PartialText("Once upon", chat=True)]
    await stage.alice.send_dm("tell me a story")
    await stage.alice.send_dm("Stop!")
    [answer] = [m for m in stage.alice.user.dm_channel.history() if m.author == stage.bot.user]
    assert answer.content.startswith("Once upon\n-# stopped")
    assert len(stage.backend.requests) == 1


async def test_an_answer_goes_on_after_a_restart(stage: Stage, config: Config):
    stage.backend.script = lambda spec, request: [Queued(3, 40.0)]
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    stage.backend.script = plausible
    await kill(stage, config)
    [answer] = await replies(stage)
    assert answer.content.startswith("Well met.")
