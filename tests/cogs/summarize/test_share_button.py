"""The Share button: the person who asked can make a private summary public."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import discord
import pytest
from simcord import ResponseMessage
from simcord.backend.cdn import CdnStore

from bot import create_bot
from cogs.client import Inkling
from cogs.summarize.share_button import share_button
from inference import Config, Result, Summary
from tests.cogs.stage import PatientEngine, Stage, buttons, first, refusal
from tests.cogs.summarize.channels import create_thread


async def summary(stage: Stage) -> ResponseMessage:
    """Let Alice summarize one message of Bob, and return her private summary."""
    await stage.bob.send(stage.channel, "words")
    return first(await stage.alice.slash(stage.channel, "summarize", messages=5))


def seen_by_bob(stage: Stage) -> list[discord.Message]:
    """Return the public messages of the bot."""
    return [message for message in stage.channel.history(viewer=stage.bob) if message.author.bot]


async def test_a_shared_summary_is_public_and_names_the_person_who_shared_it(stage: Stage):
    private = await summary(stage)
    assert buttons(private) == ["Share"]
    assert not seen_by_bob(stage)
    await stage.alice.click(private, label="Share")
    [shared] = seen_by_bob(stage)
    assert shared.content == f"{private.content}\n-# Shared by {stage.alice.mention}"


async def test_sharing_pings_nobody(stage: Stage):
    await stage.alice.click(await summary(stage), label="Share")
    sent = [request.json for request in stage.env.http_requests if isinstance(request.json, dict)]
    [shared] = [body for body in sent if "Shared by" in str(body.get("content"))]
    assert shared["allowed_mentions"]["parse"] == []
    assert "users" not in shared["allowed_mentions"]


async def test_a_summary_can_be_shared_only_once(stage: Stage):
    private = await summary(stage)
    result = await stage.alice.click(private, label="Share")
    assert buttons(first(result)) == []


async def test_a_summary_can_be_shared_after_a_restart(stage: Stage, config: Config, engine: PatientEngine):
    private = await summary(stage)
    await stage.env.restart_bot(create_bot(engine))
    await stage.alice.click(private, label="Share")
    assert seen_by_bob(stage)[0].content.startswith(private.content)


async def test_the_file_of_a_long_summary_is_shared_with_it(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Summary("A long story. " * 300, 1))]
    await stage.alice.click(await summary(stage), label="Share")
    [shared] = seen_by_bob(stage)
    [file] = shared.attachments
    assert (await file.read()).decode() == "A long story. " * 300


async def test_a_missing_file_gives_an_error_and_keeps_the_button(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Summary("A long story. " * 300, 1))]
    private = await summary(stage)
    stage.env.backend.cdn = CdnStore()
    result = await stage.alice.click(private, label="Share")
    assert result.followups[0].content == "Discord no longer has the file of this summary. Ask for the summary again."
    assert not seen_by_bob(stage)


async def test_only_the_person_who_asked_can_share(stage: Stage):
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    message = await channel.send("a summary", view=share_button(stage.alice.id))
    result = await stage.bob.click(message, label="Share")
    assert refusal(result).startswith("Only the person who asked for this summary can share it.")
    assert "a summary\n-# Shared by" not in "".join(message.content for message in seen_by_bob(stage))


async def test_a_second_press_while_the_summary_is_being_shared_is_refused(stage: Stage):
    private = await summary(stage)
    with cast(Inkling, stage.bot).sessions.claim(private.id, "Not now."):
        result = await stage.alice.click(private, label="Share")
    assert refusal(result) == "This summary is being shared already."
    assert not seen_by_bob(stage)


async def test_the_button_is_removed_before_sharing_and_restored_on_failure(stage: Stage):
    private = await summary(stage)
    stage.env.inject_error("POST", "/webhooks/*", status=403, code=200000)
    before = len(stage.env.http_requests)
    result = await stage.alice.click(private, label="Share")
    sent = [request.json for request in stage.env.http_requests[before:] if request.method == "PATCH"]
    assert [bool(body["components"]) for body in sent if isinstance(body, dict)] == [False, True]
    assert buttons(first(result)) == ["Share"]
    assert not seen_by_bob(stage)


@pytest.mark.parametrize("permission", ["send_messages", "send_messages_in_threads"])
async def test_sharing_needs_permission_to_write(stage: Stage, permission: str):
    denied = discord.PermissionOverwrite(**{permission: False})
    silent = stage.guild.create_text_channel("news", overwrites={stage.alice: denied})
    responder = silent if permission == "send_messages" else await create_thread(stage, silent)
    await stage.bob.send(responder, "words")
    private = first(await stage.alice.slash(responder, "summarize", messages=5))
    result = await stage.alice.click(private, label="Share")
    assert refusal(result).startswith("You may not write in this channel")


async def test_a_server_whose_answers_are_private_shares_nothing(stage: Stage):
    private = await summary(stage)
    settings = cast(Inkling, stage.bot).store.settings
    await settings.servers.change(stage.guild.id, lambda server: replace(server, private=True))
    result = await stage.alice.click(private, label="Share")
    assert refusal(result).startswith("On this server only the person who asks sees my answers")
    assert buttons(await summary(stage)) == []


async def test_a_direct_message_has_no_share_button(stage: Stage):
    await stage.alice.send_dm("Remember the milk.")
    result = await stage.alice.user.slash("summarize", messages=5)
    assert buttons(result.response) == []
