"""Stored drawings: who may use them, how long they are stored, and the error when they are deleted."""

from __future__ import annotations

from typing import cast

import discord
import pytest
from simcord import ResponseMessage

from cogs.client import Inkling
from inference import CaptionRequest, Config, Overloaded, Progress, Result
from tests.cogs.imagine.images import (
    button_rows,
    file,
    files,
    grid,
    image_size,
    newest_request,
    press,
    restart,
    stored_count,
    submit_remix,
    text,
)
from tests.cogs.stage import Stage, first, followup, refusal
from tests.fakes import drawn, plausible


async def test_delete_removes_the_message_and_the_stored_data(stage: Stage):
    message = await grid(stage)
    assert await stored_count(stage) == 1
    await press(stage, message, "Delete")
    assert stage.channel.history() == []
    assert await stored_count(stage) == 0


async def test_a_deletion_that_discord_refuses_keeps_the_picture_and_is_reported_in_private(stage: Stage):
    message = await grid(stage)
    stage.env.inject_error("DELETE", "/webhooks/*/messages/@original", status=403, code=50001)
    result = await press(stage, message, "Delete")
    [reply] = result.followups
    assert reply.ephemeral
    assert reply.content.startswith("I lack a permission in this channel.")
    assert [shown.id for shown in stage.channel.history()] == [message.id]
    assert await stored_count(stage) == 1


async def test_stored_data_is_deleted_with_a_message_that_somebody_else_deletes(stage: Stage):
    message = await grid(stage)
    await message.message.delete()
    await stage.env.settle()
    assert await stored_count(stage) == 0


async def test_stored_data_is_deleted_with_bulk_deletions_and_channels(stage: Stage):
    messages = [await grid(stage, count=1) for _ in range(3)]
    channel = cast(discord.TextChannel, stage.bot.get_channel(stage.channel.id))
    await channel.delete_messages([message.message for message in messages[:2]])
    await stage.env.settle()
    assert await stored_count(stage) == 1
    await channel.delete()
    await stage.env.settle()
    assert await stored_count(stage) == 0


@pytest.mark.parametrize("whole_channel", [False, True])
async def test_stored_data_of_a_thread_is_deleted_with_it_or_its_channel(stage: Stage, whole_channel: bool):
    channel = cast(discord.TextChannel, stage.bot.get_channel(stage.channel.id))
    thread = await channel.create_thread(name="side", type=discord.ChannelType.public_thread)
    await stage.alice.slash(stage.channel.threads[0], "imagine", prompt="a fox")
    assert await stored_count(stage) == 1
    await (channel if whole_channel else thread).delete()
    await stage.env.settle()
    assert await stored_count(stage) == 0


async def test_stored_data_is_deleted_when_the_bot_leaves_the_server(stage: Stage):
    await grid(stage)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    await guild.leave()
    await stage.env.settle()
    assert await stored_count(stage) == 0


async def test_every_press_is_a_job_and_counts_towards_the_limit_of_the_person(stage: Stage):
    message = await grid(stage)
    stage.backend.script = lambda spec, request: []
    for _ in range(2):
        await press(stage, message, "Re-roll")
    assert len(stage.backend.requests) == 3
    stage.backend.script = lambda spec, request: [Overloaded("You have 4 requests waiting already.", retry_after=9)]
    assert refusal(await press(stage, message, "V1")) == "You have 4 requests waiting already."


async def test_all_buttons_work_after_a_restart(stage: Stage, config: Config):
    message = await grid(stage)
    await restart(stage, config)
    varied = followup(await press(stage, message, "V2"))
    await restart(stage, config)
    one = followup(await press(stage, varied, "U1"))
    assert await file(one) == drawn(newest_request(stage)).pictures[0].png
    await restart(stage, config)
    settings = "Steps: 30, Sampler: DDIM, CFG scale: 7.5, Size: 512x512"
    remix = first(await submit_remix(stage, one, prompt="a hare", seed="8", settings=settings))
    assert await image_size(remix) == (64, 64)
    await restart(stage, config)
    await press(stage, message, "Delete")
    assert len(stage.channel.history()) == 3


@pytest.mark.parametrize("label", ["U1", "V1", "Re-roll", "Remix", "Parameters", "Delete"])
async def test_other_people_can_not_press_the_buttons(stage: Stage, label: str):
    message = await grid(stage)
    result = await press(stage, message, label, stage.bob)
    assert refusal(result).startswith(
        "Only the person who asked for this can use its buttons. Draw your own with /imagine"
    )
    assert result.modal is None
    assert len(stage.channel.history()) == 1
    assert len(stage.backend.requests) == 1


@pytest.mark.parametrize("label", ["U1", "V1", "Re-roll", "Remix", "Parameters", "Delete"])
async def test_buttons_of_a_deleted_image_say_so(stage: Stage, label: str):
    message = await grid(stage)
    await cast(Inkling, stage.bot).store.images.forget_messages([message.id])
    assert refusal(await press(stage, message, label)).startswith("I no longer know how this was drawn")


async def test_a_file_that_can_not_be_downloaded_is_reported_in_private(stage: Stage):
    message = await grid(stage)
    stage.env.backend.cdn._blobs.clear()  # pyright: ignore[reportPrivateUsage]
    result = await press(stage, message, "U1")
    assert refusal(result).startswith("Discord did not hand over the file of this picture")
    assert "Re-roll or Remix" in refusal(result)
    assert len(stage.channel.history()) == 1


async def test_a_picture_that_discord_does_not_accept_is_reported(stage: Stage):
    message = await grid(stage)
    stage.env.inject_error("PATCH", "/webhooks/*/messages/*", status=400)
    result = await press(stage, message, "U1")
    assert "Discord did not" in " ".join(each.content for each in result.followups)
    assert await stored_count(stage) == 1


async def test_an_image_whose_message_was_deleted_meanwhile_is_not_stored(stage: Stage):
    stage.backend.script = lambda spec, request: []
    message = await grid(stage)
    await message.message.delete()
    await stage.event(Result(drawn(newest_request(stage))))
    assert await stored_count(stage) == 0


async def test_buttons_keep_no_views_in_memory(stage: Stage):
    await press(stage, await grid(stage), "U1")
    assert stage.bot.persistent_views == []


async def test_an_image_that_can_not_be_stored_is_shown_without_buttons_and_says_so(stage: Stage):
    await cast(Inkling, stage.bot).store.database.read("PRAGMA query_only = ON")  # acts like a full disk
    message = await grid(stage)
    assert len(await files(message)) == 4
    assert not button_rows(message)
    assert text(message).endswith("-# The bot could not note how this was drawn, so there are no buttons.")


class TestWhileThePictureIsCaptioned:
    async def _start_captioning(self, stage: Stage, config: Config) -> ResponseMessage:
        """Return a finished drawing whose caption is still in progress."""
        stage.backend.in_memory.add(config.specs("caption")[0].name)
        stage.backend.script = lambda spec, request: (
            [Progress(24, 25), *plausible(spec, request)] if spec.task == "imagine" else []
        )
        message = await grid(stage, count=1)
        assert isinstance(stage.backend.requests[-1], CaptionRequest)
        return message

    async def test_the_job_can_still_be_cancelled(self, stage: Stage, config: Config):
        message = await self._start_captioning(stage, config)
        await press(stage, message, "Cancel")
        assert message.content == "Cancelled."
        assert stage.backend.tickets[-1].cancelled
        assert await stored_count(stage) == 0

    async def test_the_message_says_that_the_bot_stops(self, stage: Stage, config: Config):
        message = await self._start_captioning(stage, config)
        await stage.bot.close()
        assert message.content == "The bot is being restarted. This goes on after that."
