"""Reading of a channel: the progress is shown, and reading can be cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.cogs.stage import Stage, buttons, first
from tests.cogs.summarize.channels import send_messages


@pytest.fixture
def slow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return an event: Discord returns three pages of messages, and the fourth after the event is set."""
    logs_from, proceed, pages = stage.bot.http.logs_from, asyncio.Event(), iter(range(3))

    async def slowly(*args: Any, **options: Any) -> Any:
        if next(pages, None) is None:
            await stage.env.external_wait(proceed.wait(), reason="Discord takes its time")
        return await logs_from(*args, **options)

    monkeypatch.setattr(stage.bot.http, "logs_from", slowly)
    return proceed


async def test_the_messages_are_counted_while_they_are_read(stage: Stage, slow: asyncio.Event):
    await send_messages(stage, stage.channel, 350)
    result = await stage.alice.slash(stage.channel, "summarize", messages=350)
    await stage.env.advance_time(2)
    assert first(result).content == "Reading… 300 messages"
    slow.set()
    await stage.env.settle()
    assert "350 messages read" in first(result).content


async def test_reading_can_be_cancelled(stage: Stage, slow: asyncio.Event):
    await send_messages(stage, stage.channel, 350)
    result = await stage.alice.slash(stage.channel, "summarize", messages=350)
    await stage.env.advance_time(2)
    assert buttons(first(result)) == ["Cancel"]
    await stage.alice.click(first(result), label="Cancel")
    assert first(result).content == "Cancelled."
    assert not stage.backend.requests
