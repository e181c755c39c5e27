"""The engine of the preview. It tells SimCord that a running model does not mean a busy bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference import Backend, CheckedRequest, Config, Engine, Event, Observers, Request, Result
from preview.environment import PreviewEnv


class PreviewEngine(Engine):
    """SimCord's page accepts an action once the bot has settled. Here, waiting for a model counts as settled.

    Otherwise the page would be blocked until a job's end: no edits would be shown, and no Cancel could be pressed.
    """

    env: PreviewEnv
    """The environment of the bot; set before it runs."""

    def __init__(self, config: Config, backend: Backend, observers: Observers | None = None) -> None:
        super().__init__(config, backend, observers)
        self.acting = asyncio.Lock()
        """Held while SimCord executes an action and waits for the bot to settle."""

    async def stream(self, checked: CheckedRequest[Request], request_id: str = "") -> AsyncGenerator[Event, None]:
        async with aclosing(super().stream(checked, request_id)) as events:
            while True:
                event = await self.env.external_wait(self._next(events), reason="a model at work")
                yield event
                if isinstance(event, Result):
                    return

    async def check_devices(self) -> list[str]:
        return await self.env.external_wait(super().check_devices(), reason="the import of torch")

    async def _next(self, events: AsyncGenerator[Event, None]) -> Event:
        """Return the next event, but not during an action: streamed text would keep the bot busy all the time."""
        event = await anext(events)
        if not isinstance(event, Result):
            async with self.acting:
                pass
        return event
