"""Texts that go on from what somebody else wrote."""

from __future__ import annotations

import discord
import pytest

from inference import Config, Message
from tests.cogs.complete.completions import chatting, counting, newest, store
from tests.cogs.imagine.images import restart
from tests.cogs.stage import Stage, refusal
from tests.fakes import kept_of


@pytest.fixture
async def beginning(stage: Stage) -> discord.Message:
    """What Bob wrote."""
    return await stage.bob.send(stage.channel, "Bob counts:")


async def begun(stage: Stage, beginning: discord.Message) -> discord.Message:
    """How Alice has it gone on with."""
    await stage.alice.send(stage.channel, f"{stage.mention} complete", reply_to=beginning)
    text = stage.channel.last_message
    assert text is not None
    return text


async def test_a_foreign_prompt_is_continued_but_not_stored(stage: Stage, beginning: discord.Message):
    stage.backend.script = counting
    text = await begun(stage, beginning)
    assert newest(stage).prompt == "Bob counts:"
    assert text.content.startswith("… 1\n-# seed ")
    assert "Bob counts" not in str(await kept_of(store(stage), stage.alice.id))


async def test_its_buttons_read_it_again(stage: Stage, config: Config, beginning: discord.Message):
    stage.backend.script = counting
    text = await begun(stage, beginning)
    await restart(stage, config)
    await stage.alice.click(text, label="Continue")
    assert (newest(stage).prompt, newest(stage).prefill) == ("Bob counts:", " 1")
    assert stage.last_text.startswith("… 1 2\n-# seed ")
    await stage.alice.click(text, label="Undo")
    assert stage.last_text.startswith("… 1\n-# seed ")
    assert "Bob counts" not in str(await kept_of(store(stage), stage.alice.id))


async def test_a_deleted_foreign_prompt_gives_an_error_and_keeps_the_text(stage: Stage, beginning: discord.Message):
    stage.backend.script = counting
    text = await begun(stage, beginning)
    await beginning.delete()
    await stage.env.settle()
    assert refusal(await stage.alice.click(text, label="Continue"))
    assert stage.last_text.startswith("… 1\n-# seed ")
    await stage.alice.send(stage.channel, f"{stage.mention} and", reply_to=text)
    assert newest(stage).messages == (Message("user", ""), Message("assistant", " 1"))


async def test_replies_to_the_text_include_the_foreign_prompt(stage: Stage, beginning: discord.Message):
    stage.backend.script = chatting
    text = await begun(stage, beginning)
    assert text.content.startswith("1\n-# seed ")
    await stage.alice.send(stage.channel, f"{stage.mention} and then?", reply_to=text)
    assert newest(stage).messages == (Message("user", "Bob counts:"), Message("assistant", " 1"))
    assert newest(stage).prompt == "and then?"
