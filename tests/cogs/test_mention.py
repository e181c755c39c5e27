"""Replies such as `@Inkling summarize`."""

from __future__ import annotations

import discord
import pytest

from inference import Answer, AskRequest, CompleteRequest, ModelUnavailable, Result, SummarizeRequest
from tests.cogs.stage import Stage
from tests.fakes import PNG

_PORTAL = discord.Intents(guilds=True, messages=True)
"""What an operator has who switched on nothing."""


@pytest.mark.parametrize("spelling", ["summarize", "Summarize", "  summarize  "])
async def test_a_reply_summarizes_the_message_it_replies_to(stage: Stage, spelling: str):
    story = await stage.bob.send(stage.channel, "A long story")
    request = await stage.alice.send(stage.channel, f"{stage.mention} {spelling}", reply_to=story)
    assert stage.said == "In short: A long story"
    assert stage.backend.requests == [SummarizeRequest(text="A long story", owner=str(stage.alice.id))]
    assert stage.channel.last_message is not None
    assert stage.channel.last_message.reference is not None
    assert stage.channel.last_message.reference.message_id == request.id


async def test_a_reply_asks_about_the_message(stage: Stage):
    story = await stage.bob.send(stage.channel, "It opened in 1889.")
    stage.backend.script = lambda spec, request: [Result(Answer("1889", 0.9, 13, 17))]
    await stage.alice.send(stage.channel, f'{stage.mention} ask when did "it" open?', reply_to=story)
    assert stage.said == f'> when did "it" open?\nIt opened in **1889**.\n-# Sure, from {story.jump_url}'
    assert isinstance(stage.backend.requests[0], AskRequest)


async def test_a_reply_captions_every_picture(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.png", PNG), ("b.png", PNG)])
    await stage.alice.send(stage.channel, f"{stage.mention} caption", reply_to=message)
    assert stage.said == "1. **a.png**: a cat on a mat\n2. **b.png**: a cat on a mat"


async def test_a_picture_can_come_with_the_request(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} caption", attachments=[("a.png", PNG)])
    assert stage.said == "a cat on a mat"


async def test_text_can_follow_the_command(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once upon a time")
    assert stage.said.startswith("**Once upon a time** and then")
    assert isinstance(stage.backend.requests[0], CompleteRequest)
    await stage.alice.send(stage.channel, f"{stage.mention} mood I love it")
    assert stage.said.startswith("> I love it\npositive")


async def test_help_is_one_reply(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} help")
    assert "`/complete`" in stage.said


async def test_an_unknown_word_gets_a_hint(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} dance")
    assert stage.said == "I don't know `dance`. Try `@Inkling help`."


async def test_without_a_message_it_says_what_to_do(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} summarize")
    assert stage.said == "Reply to a message with `@Inkling summarize`, so that I know which one you mean."


@pytest.mark.simcord(approved_intents=_PORTAL)
async def test_a_message_that_discord_hides_gets_the_way_around(stage: Stage):
    story = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.send(stage.channel, f"{stage.mention} summarize", reply_to=story)
    assert stage.said.startswith("Discord does not show me that message.")


@pytest.mark.simcord(approved_intents=_PORTAL)
async def test_a_message_that_discord_hides_and_that_is_gone_is_told_so(stage: Stage):
    story = await stage.bob.send(stage.channel, "A long story")
    stage.env.inject_error("GET", "/channels/*/messages/*", status=404, code=10008)
    await stage.alice.send(stage.channel, f"{stage.mention} summarize", reply_to=story)
    assert stage.said == "That message has been deleted."


@pytest.mark.simcord(approved_intents=_PORTAL)
async def test_menus_need_no_intent(stage: Stage):
    story = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.context_menu(stage.channel, "Summarize", story)
    assert stage.backend.requests == [SummarizeRequest(text="A long story", owner=str(stage.alice.id))]


async def test_failures_are_told_in_the_reply(stage: Stage):
    stage.backend.script = lambda spec, request: [ModelUnavailable("It is not downloaded.")]
    await stage.alice.send(stage.channel, f"{stage.mention} mood I love it")
    assert stage.said == "It is not downloaded."


async def test_without_permission_to_write_nothing_breaks(stage: Stage, caplog: pytest.LogCaptureFixture):
    silent = stage.guild.create_text_channel("silent")
    stage.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await stage.alice.send(silent, f"{stage.mention} mood I love it")
    assert "could not tell" in caplog.text
    assert not stage.backend.requests


async def test_it_works_in_a_direct_message(stage: Stage):
    await stage.alice.send_dm(f"{stage.mention} complete Once")
    assert stage.alice.user.dm_channel.last_message is not None
    assert stage.alice.user.dm_channel.last_message.content.startswith("**Once** and then")


async def test_other_talk_is_left_alone(stage: Stage):
    await stage.alice.send(stage.channel, "summarize")
    await stage.alice.send(stage.channel, f"Ask {stage.mention} about it")
    assert len(stage.channel.history()) == 2
