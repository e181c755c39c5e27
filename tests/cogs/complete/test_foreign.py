"""Texts that go on from what somebody else wrote."""

from __future__ import annotations

import discord
import pytest

from inference import Config, Message
from tests.cogs.complete.desk import chatting, counting, newest, store
from tests.cogs.imagine.gallery import restart
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


async def test_it_is_gone_on_with_but_not_kept(stage: Stage, beginning: discord.Message):
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
    assert stage.said.startswith("… 1 2\n-# seed ")
    await stage.alice.click(text, label="Undo")
    assert stage.said.startswith("… 1\n-# seed ")
    assert "Bob counts" not in str(await kept_of(store(stage), stage.alice.id))


async def test_where_it_is_gone_the_text_stays_and_says_so(stage: Stage, beginning: discord.Message):
    stage.backend.script = counting
    text = await begun(stage, beginning)
    await beginning.delete()
    await stage.env.settle()
    assert refusal(await stage.alice.click(text, label="Continue"))
    assert stage.said.startswith("… 1\n-# seed ")
    await stage.alice.send(stage.channel, f"{stage.mention} and", reply_to=text)
    assert newest(stage).messages == (Message("user", ""), Message("assistant", " 1"))


async def test_replies_to_the_text_know_it(stage: Stage, beginning: discord.Message):
    stage.backend.script = chatting
    text = await begun(stage, beginning)
    assert text.content.startswith("1\n-# seed ")
    await stage.alice.send(stage.channel, f"{stage.mention} and then?", reply_to=text)
    assert newest(stage).messages == (Message("user", "Bob counts:"), Message("assistant", " 1"))
    assert newest(stage).prompt == "and then?"
