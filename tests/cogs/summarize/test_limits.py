"""/summarize of a channel with more messages than the limits allow."""

from __future__ import annotations

import pytest

from inference import Config
from tests.cogs.stage import Stage, first
from tests.cogs.summarize.channels import send_messages, summarized_texts


@pytest.fixture
def config(config: Config) -> Config:
    limits = config.limits.model_copy(update={"messages": 4, "text_characters": 40})
    return config.model_copy(update={"limits": limits})


async def test_only_the_newest_messages_are_read_and_the_rest_is_reported_as_left_out(stage: Stage):
    await send_messages(stage, stage.channel, 6)
    link = stage.channel.history()[0].jump_url
    result = await stage.alice.slash(stage.channel, "summarize", since=link)
    assert "2 messages read; older ones were left out" in first(result).content
    assert summarized_texts(stage) == ["alice: message 4\nbob: message 5"]


async def test_nothing_is_reported_as_left_out_if_all_requested_messages_were_read(stage: Stage):
    await send_messages(stage, stage.channel, 6)
    result = await stage.alice.slash(stage.channel, "summarize", messages=2)
    assert "left out" not in first(result).content
