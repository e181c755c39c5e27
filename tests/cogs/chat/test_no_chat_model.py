"""A bot without a chat model."""

from __future__ import annotations

import pytest

from inference import Config
from tests.cogs.stage import Stage, first


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(update={"models": config.models | {"chat": ()}})


async def test_a_direct_message_gets_one_sentence_once(stage: Stage):
    await stage.alice.send_dm("hello")
    await stage.alice.send_dm("hello?")
    [answer] = [each for each in stage.alice.user.dm_channel.history() if each.author == stage.bot.user]
    assert answer.content.startswith("No model to talk with is set up here.")


async def test_a_mention_gets_the_list_of_commands_and_talk_about_the_bot_nothing(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    assert stage.last_text.startswith("I don't know `hello`.")
    await stage.alice.send(stage.channel, f"we have {stage.mention} here")
    assert stage.last_text.startswith("we have")


async def test_the_command_says_what_is_missing(stage: Stage):
    answer = first(await stage.alice.slash(stage.channel, "chat"))
    assert answer.ephemeral
    assert answer.content.startswith("No model to talk with is set up here.")


async def test_an_unknown_word_gets_a_hint(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} dance")
    assert stage.last_text.startswith("I don't know `dance`. After my name, write `summarize`, `ask` and a question,")


@pytest.mark.parametrize("word", ["what is the price?", "`x`", "<@1>", "x" * 300])
async def test_an_unknown_word_in_a_reply_gets_an_escaped_hint(stage: Stage, word: str):
    message = await stage.bob.send(stage.channel, "Two for one")
    await stage.alice.send(stage.channel, f"{stage.mention} {word}", reply_to=message)
    assert stage.last_text.startswith("I don't know `")
    assert stage.last_text.count("`") == 14
    assert not stage.backend.requests


@pytest.mark.parametrize("words", ["I met {0} yesterday", "thanks {0}", "`{0}` is the bot", "{1} mood I love it"])
async def test_talk_about_the_bot_gets_no_answer(stage: Stage, words: str):
    await stage.alice.send(stage.channel, words.format(stage.mention, stage.bob.mention))
    assert len(stage.channel.history()) == 1
