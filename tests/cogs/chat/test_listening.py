"""Which messages the bot answers, and which it leaves alone."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from inference import ChatRequest
from tests.cogs.chat.conversations import replies, said
from tests.cogs.stage import Stage


@pytest.mark.parametrize("text", ["{me} hello", "hello {me}", "so, {me}, hello", "{me}\nhello"])
async def test_a_mention_anywhere_is_answered(stage: Stage, text: str):
    await stage.alice.send(stage.channel, text.format(me=stage.mention))
    assert stage.last_text.startswith("Well met.")
    assert len(await replies(stage)) == 1
    [(role, content)] = said(stage)
    assert role == "user"
    assert content.endswith("hello")
    assert "Inkling" not in content


async def test_a_command_after_the_name_stays_a_command(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.send(stage.channel, f"{stage.mention} summarize", reply_to=message)
    assert not any(isinstance(request, ChatRequest) for request in stage.backend.requests)
    assert len(await replies(stage)) == 1


async def test_talk_among_people_gets_no_answer(stage: Stage):
    await stage.alice.send(stage.channel, "hello Bob")
    assert not stage.backend.requests
    assert not await replies(stage)


async def test_other_bots_and_webhooks_are_not_answered(stage: Stage):
    robot = stage.guild.add_member(stage.env.create_user("robot", bot=True))
    hook = stage.guild.create_webhook(stage.channel)
    for text in (f"{stage.mention} hello", f"hello {stage.mention}"):
        await robot.send(stage.channel, text)
        await hook.send(text)
    assert not stage.backend.requests
    assert not await replies(stage)


@pytest.mark.parametrize("text", ["hello {me}", "{me} hello"])
async def test_where_it_may_not_write_it_is_silent(stage: Stage, text: str):
    speakers = stage.guild.create_role("speakers")
    carol = stage.guild.add_member(stage.env.create_user("carol"), roles=[speakers])
    rules: dict[Any, discord.PermissionOverwrite] = {
        stage.guild.default_role: discord.PermissionOverwrite(send_messages=False),
        speakers: discord.PermissionOverwrite(send_messages=True),
    }
    channel = stage.guild.create_text_channel("quiet", overwrites=rules)
    before = len(stage.env.http_requests)
    await carol.send(channel, text.format(me=stage.mention))
    assert not stage.backend.requests
    assert not stage.env.http_requests[before:], "it does not even try"
