"""The engine, with one thing said to SimCord that it can't know: a model at work is not the bot stuck."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from simcord.env import Env

from inference import Engine, Event, Request, Result


class PreviewEngine(Engine):
    """SimCord lets a page act again once the bot is at rest; waiting for a model counts as rest here.

    Without this the page would freeze until a job's end: no edits to see, no Cancel to press.
    """

    env: Env
    """Where the bot lives; set before it runs."""

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        async with aclosing(super().stream(request)) as events:
            while True:
                event = await self.env.external_wait(anext(events), reason="a model at work")
                yield event
                if isinstance(event, Result):
                    return
