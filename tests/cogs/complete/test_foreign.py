"""Texts that continue the message of another person."""

from __future__ import annotations

import discord
import pytest

from inference import Config, Message
from tests.cogs.complete.completions import chatting, counting, newest_request, store
from tests.cogs.imagine.images import restart
from tests.cogs.stage import Stage, refusal
from tests.fakes import kept_of


@pytest.fixture
async def bobs_message(stage: Stage) -> discord.Message:
    """Send a message of Bob."""
    return await stage.bob.send(stage.channel, "Bob counts:")


async def continue_message(stage: Stage, bobs_message: discord.Message) -> discord.Message:
    """Let Alice continue the message of Bob, and return the new text."""
    await stage.alice.send(stage.channel, f"{stage.mention} complete", reply_to=bobs_message)
    text = stage.channel.last_message
    assert text is not None
    return text


async def test_the_prompt_of_another_person_is_continued_but_not_stored(stage: Stage, bobs_message: discord.Message):
    stage.backend.script = counting
    text = await continue_message(stage, bobs_message)
    assert newest_request(stage).prompt == "Bob counts:"
    assert text.content.startswith("… 1\n-# seed ")
    assert "Bob counts" not in str(await kept_of(store(stage), stage.alice.id))


async def test_the_buttons_read_the_prompt_of_another_person_again(
    stage: Stage, config: Config, bobs_message: discord.Message
):
    stage.backend.script = counting
    text = await continue_message(stage, bobs_message)
    await restart(stage, config)
    await stage.alice.click(text, label="Continue")
    assert (newest_request(stage).prompt, newest_request(stage).prefill) == ("Bob counts:", " 1")
    assert stage.last_text.startswith("… 1 2\n-# seed ")
    await stage.alice.click(text, label="Undo")
    assert stage.last_text.startswith("… 1\n-# seed ")
    assert "Bob counts" not in str(await kept_of(store(stage), stage.alice.id))


async def test_a_deleted_prompt_of_another_person_gives_an_error_and_keeps_the_text(
    stage: Stage, bobs_message: discord.Message
):
    stage.backend.script = counting
    text = await continue_message(stage, bobs_message)
    await bobs_message.delete()
    await stage.env.settle()
    assert refusal(await stage.alice.click(text, label="Continue"))
    assert stage.last_text.startswith("… 1\n-# seed ")
    await stage.alice.send(stage.channel, f"{stage.mention} and", reply_to=text)
    assert newest_request(stage).messages == (Message("user", ""), Message("assistant", " 1"))


async def test_replies_to_the_text_include_the_prompt_of_another_person(stage: Stage, bobs_message: discord.Message):
    stage.backend.script = chatting
    text = await continue_message(stage, bobs_message)
    assert text.content.startswith("1\n-# seed ")
    await stage.alice.send(stage.channel, f"{stage.mention} and then?", reply_to=text)
    assert newest_request(stage).messages == (Message("user", "Bob counts:"), Message("assistant", " 1"))
    assert newest_request(stage).prompt == "and then?"
