"""While a channel is read: how far it is, and that it can be cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.cogs.stage import Stage, buttons, first
from tests.cogs.summarize.channels import talk


@pytest.fixture
def slow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Discord hands over three pages of messages, and the fourth when this is set."""
    hand_over, goes_on, pages = stage.bot.http.logs_from, asyncio.Event(), iter(range(3))

    async def slowly(*args: Any, **options: Any) -> Any:
        if next(pages, None) is None:
            await stage.env.external_wait(goes_on.wait(), reason="Discord takes its time")
        return await hand_over(*args, **options)

    monkeypatch.setattr(stage.bot.http, "logs_from", slowly)
    return goes_on


async def test_the_messages_are_counted_while_they_are_read(stage: Stage, slow: asyncio.Event):
    await talk(stage, stage.channel, 350)
    result = await stage.alice.slash(stage.channel, "summarize", messages=350)
    await stage.env.advance_time(2)
    assert first(result).content == "Reading… 300 messages"
    slow.set()
    await stage.env.settle()
    assert "350 of 350 messages" in first(result).content


async def test_reading_can_be_cancelled(stage: Stage, slow: asyncio.Event):
    await talk(stage, stage.channel, 350)
    result = await stage.alice.slash(stage.channel, "summarize", messages=350)
    await stage.env.advance_time(2)
    assert buttons(first(result)) == ["Cancel"]
    await stage.alice.click(first(result), label="Cancel")
    assert first(result).content == "Cancelled."
    assert not stage.backend.requests
