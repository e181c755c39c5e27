"""Throttled edits of one message, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cogs.common.delivery import DELIVERY, is_deleted
from cogs.common.message_content import MessageContent

log = logging.getLogger(__name__)

_FIRST = 0.3
"""Seconds before the first edit; a faster answer needs none."""


class ThrottledEditor:
    """An editor that limits the rate of edits: of several contents in between, only the latest is shown.

    When somebody deletes the message, `lost` becomes true, and `on_lost` is called.
    """

    def __init__(self, send: Callable[[MessageContent], Awaitable[None]], on_lost: Callable[[], None]) -> None:
        self._send = send
        self.lost = False
        self._on_lost = on_lost
        self._pending: Callable[[], MessageContent] | None = None
        self._pause = 0.0
        self._due = asyncio.get_running_loop().time() + _FIRST
        self._task: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()

    def schedule(self, render: Callable[[], MessageContent], pause: float) -> None:
        """Show the result of `render` soon, and then nothing for `pause` seconds. Return at once.

        `render` is called only for contents that are sent, since a long growing text is slow to render.
        """
        self._pending, self._pause = render, pause
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def close(self) -> None:
        """Drop the pending content and wait for the running edit, so that the caller can make the last one."""
        self._pending = None
        async with self._sending:
            if self._task:
                self._task.cancel()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            await asyncio.sleep(max(0.0, self._due - loop.time()))
            async with self._sending:
                if render := self._take():
                    await self._try(render())
            self._due = loop.time() + self._pause

    def _take(self) -> Callable[[], MessageContent] | None:
        render, self._pending = self._pending, None
        return render

    async def _try(self, content: MessageContent) -> None:
        """Send an edit. A failed one is only logged, since another follows, unless the message was deleted."""
        try:
            await self._send(content)
        except DELIVERY as error:
            if is_deleted(error):
                self.lost = True
                self._on_lost()
            else:
                log.warning("an edit failed: %s", error)
