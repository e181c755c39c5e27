"""The engine, with two things that SimCord can't know: a model at work is not the bot stuck, and it never rests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from simcord.env import Env

from inference import Backend, CheckedRequest, Config, Engine, Event, Request, Result


class PreviewEngine(Engine):
    """SimCord lets a page act again once the bot is at rest; waiting for a model counts as rest here.

    Without this the page would freeze until a job's end: no edits to see, no Cancel to press.
    """

    env: Env
    """Where the bot lives; set before it runs."""

    def __init__(self, config: Config, backend: Backend) -> None:
        super().__init__(config, backend)
        self.acting = asyncio.Lock()
        """Held by whoever has SimCord do something, which waits for the bot to come to rest."""

    async def stream(self, checked: CheckedRequest[Request]) -> AsyncGenerator[Event, None]:
        async with aclosing(super().stream(checked)) as events:
            while True:
                event = await self.env.external_wait(self._next(events), reason="a model at work")
                yield event
                if isinstance(event, Result):
                    return

    async def _next(self, events: AsyncGenerator[Event, None]) -> Event:
        """A text that grows by the word would keep the bot busy for ever, so its news come between two actions."""
        event = await anext(events)
        if not isinstance(event, Result):
            async with self.acting:
                pass
        return event
