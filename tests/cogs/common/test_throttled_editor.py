"""The editor sends edits in order, even if Discord is slow."""

from __future__ import annotations

import asyncio

from cogs.common.message_content import MessageContent
from cogs.common.throttled_editor import ThrottledEditor
from tests.waiting import until


class SlowDiscord:
    """Accepts an edit only when the test allows it."""

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.edit_started = asyncio.Event()
        self.accept = asyncio.Event()

    async def edit(self, content: MessageContent) -> None:
        self.edit_started.set()
        await self.accept.wait()
        self.accepted.append(content.text)


async def test_closing_waits_for_the_running_edit_and_drops_the_next():
    discord = SlowDiscord()
    editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
    editor.schedule(lambda: MessageContent("first"), 0)
    await until(discord.edit_started.is_set, "No edit was sent.")
    editor.schedule(lambda: MessageContent("second"), 0)
    closing = asyncio.create_task(editor.close())
    await asyncio.sleep(0)
    assert not closing.done()
    discord.accept.set()
    await closing
    assert discord.accepted == ["first"]
    await asyncio.sleep(0.01)
    assert discord.accepted == ["first"]


async def test_closing_before_the_first_edit_sends_none():
    discord = SlowDiscord()
    discord.accept.set()
    editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
    editor.schedule(lambda: MessageContent("first"), 0)
    await editor.close()
    await asyncio.sleep(0.4)
    assert not discord.accepted


async def test_only_edits_that_are_sent_are_rendered():
    discord, rendered = SlowDiscord(), list[str]()
    discord.accept.set()
    editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
    for number in range(100):
        editor.schedule(lambda text=str(number): rendered.append(text) or MessageContent(text), 0)
    await until(discord.edit_started.is_set, "No edit was sent.")
    await editor.close()
    assert rendered == discord.accepted == ["99"]
