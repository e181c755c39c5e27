"""One request of one person, and the one message that tells how it goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self, TypeVar

import discord

from cogs.reply.editor import Editor
from cogs.reply.errors import DELIVERY, PRIVATE, apologize, report
from cogs.reply.page import Page, pages
from cogs.reply.place import Place
from cogs.reply.status import Status
from inference import Engine, Request, RequestCancelled, Result, Value

log = logging.getLogger(__name__)

V = TypeVar("V", bound=Value)


class CancelView(discord.ui.View):
    """A button for the person who asked, for as long as there is something to cancel."""

    def __init__(self, owner: int, cancel: Callable[[], None]) -> None:
        super().__init__(timeout=None)
        self._owner = owner
        self._cancel = cancel

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        if interaction.user.id == self._owner:
            return True
        await interaction.response.send_message("Only the person who asked can cancel this.", ephemeral=True)
        return False

    async def on_error(self, interaction: discord.Interaction, error: Exception, _: discord.ui.Item[Self], /) -> None:
        await apologize(interaction, error)

    @discord.ui.button(label="Cancel")
    async def cancel(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        await interaction.response.defer()
        self._cancel()


class Job:
    """Runs requests and keeps the message truthful; whatever happens, the message gets a last word.

    async with Job(place, engine) as job:
        summary = await job.run(request, Summary)
        await job.finish(Page(summary.text))
    """

    def __init__(self, place: Place, engine: Engine) -> None:
        self.engine = engine
        self._place = place
        self._status = Status()
        self._view = CancelView(place.owner, self.cancel)
        self._editor = Editor(lambda page: place.show(page, self._view), self._message_deleted)
        self._acknowledged = False
        self._cancelled = False
        self._deleted = False
        self._work: asyncio.Task[Value] | None = None

    async def acknowledge(self) -> None:
        """Defer, unless done. What is refused before this is refused privately without a trace."""
        if not self._acknowledged:
            await self._place.acknowledge()
            self._acknowledged = True

    async def run(self, request: Request, kind: type[V], status: Status | None = None) -> V:
        """The request's result, a `kind`; raises what `Engine.stream` raises. `status` words the way there."""
        self.engine.check(request)
        self._status = status or Status()
        await self.acknowledge()
        if self._cancelled:
            raise RequestCancelled("Cancelled.")
        self._work = asyncio.create_task(self._follow(request))
        try:
            value = await self._work
        except asyncio.CancelledError:
            if self._cancelled:
                raise RequestCancelled("Cancelled.") from None
            raise
        assert isinstance(value, kind)
        return value

    async def finish(self, page: Page) -> None:
        """The last word: `page`, over several messages when it is long."""
        await self._editor.close()
        first, *rest = pages(page, self._place.upload_limit)
        await self._place.show(first)
        for part in rest:
            await self._place.more(part)

    def cancel(self) -> None:
        """Stop what runs or waits; `run` then raises RequestCancelled."""
        self._cancelled = True
        if self._work:
            self._work.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None, /
    ) -> bool:
        await self._editor.close()
        self._view.stop()
        if not isinstance(error, Exception):
            return False
        if not self._deleted:
            await self._apologize(error)
        return True

    async def _follow(self, request: Request) -> Value:
        async with aclosing(self.engine.stream(request)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.value
                self._editor.show(*self._status.page(event))
        raise AssertionError("a stream ends with a Result or an error")

    async def _apologize(self, error: Exception) -> None:
        text = report(error)
        try:
            if isinstance(error, (*PRIVATE, *DELIVERY)) or not self._acknowledged:
                await self._place.refuse(text)
            elif isinstance(error, RequestCancelled) and self._status.draft:
                await self._place.show(Page(f"{self._status.draft}\n-# {text}"))
            else:
                await self._place.show(Page(text))
        except DELIVERY as failure:
            log.warning("could not tell %s: %s", self._place.owner, failure)

    def _message_deleted(self) -> None:
        self._deleted = True
        self.cancel()
