"""Edits in order, even when Discord is slow."""

from __future__ import annotations

import asyncio

from cogs.common.message_content import MessageContent
from cogs.common.throttled_editor import ThrottledEditor
from tests.waiting import until


class SlowDiscord:
    """Takes an edit only when the test says so."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def edit(self, content: MessageContent) -> None:
        self.begun.set()
        await self.go_on.wait()
        self.taken.append(content.text)


async def test_closing_waits_for_the_edit_under_way_and_drops_the_next():
    discord = SlowDiscord()
    editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
    editor.schedule(lambda: MessageContent("first"), 0)
    await until(discord.begun.is_set, "No edit was sent.")
    editor.schedule(lambda: MessageContent("second"), 0)
    closing = asyncio.create_task(editor.close())
    await asyncio.sleep(0)
    assert not closing.done()
    discord.go_on.set()
    await closing
    assert discord.taken == ["first"]
    await asyncio.sleep(0.01)
    assert discord.taken == ["first"]


async def test_closing_before_the_first_edit_sends_none():
    discord = SlowDiscord()
    discord.go_on.set()
    editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
    editor.schedule(lambda: MessageContent("first"), 0)
    await editor.close()
    await asyncio.sleep(0.4)
    assert not discord.taken


async def test_only_what_is_sent_is_rendered():
    discord, rendered = SlowDiscord(), list[str]()
    discord.go_on.set()
    editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
    for number in range(100):
        editor.schedule(lambda text=str(number): rendered.append(text) or MessageContent(text), 0)
    await until(discord.begun.is_set, "No edit was sent.")
    await editor.close()
    assert rendered == discord.taken == ["99"]
