"""/summarize of a channel with more in it than is read."""

from __future__ import annotations

import pytest

from inference import Config
from tests.cogs.stage import Stage, first
from tests.cogs.summarize.channels import read_texts, talk


@pytest.fixture
def config(config: Config) -> Config:
    limits = config.limits.model_copy(update={"messages": 4, "text_characters": 40})
    return config.model_copy(update={"limits": limits})


async def test_the_newest_messages_are_read_and_what_is_left_out_is_told(stage: Stage):
    await talk(stage, stage.channel, 6)
    link = stage.channel.history()[0].jump_url
    result = await stage.alice.slash(stage.channel, "summarize", since=link)
    assert "2 of 4 messages; older ones were left out" in first(result).content
    assert read_texts(stage) == ["alice: message 4\nbob: message 5"]


async def test_nothing_is_left_out_of_as_many_messages_as_were_asked_for(stage: Stage):
    await talk(stage, stage.channel, 6)
    result = await stage.alice.slash(stage.channel, "summarize", messages=2)
    assert "left out" not in first(result).content
