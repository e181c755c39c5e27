"""One request of one person, and the one message that tells how it goes."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import discord

from cogs.language import later, tr
from cogs.reply.cancel import CancelView
from cogs.reply.editor import Editor
from cogs.reply.errors import DELIVERY, PRIVATE, is_deleted, report
from cogs.reply.page import Page, pages, with_file
from cogs.reply.place import Place
from cogs.reply.rules import check_spot, narrowed, settled
from cogs.reply.status import Status
from cogs.reply.upload import within_limit
from inference import (
    Engine,
    InvalidRequest,
    Limits,
    ModelSpec,
    Request,
    RequestCancelled,
    RequestTimeout,
    Result,
    Value,
)
from storage import ServerSettings, Settings

log = logging.getLogger(__name__)

_PATIENCE = datetime.timedelta(minutes=1)
"""Who has waited longer may be looking elsewhere by now."""

_PRIVATE_SECONDS = 14 * 60.0
"""A private message can be edited for 15 minutes: everything has to end in words before that."""

T = TypeVar("T")
V = TypeVar("V", bound=Value)


class Job:
    """Runs requests and keeps the message truthful; whatever happens, the message gets a last word.

    async with jobs.open(place) as job:
        summary = await job.run(request, Summary)
        await job.finish(Page(summary.text))
    """

    def __init__(self, place: Place, engine: Engine, settings: Settings, register: set[Job]) -> None:
        self.engine = engine
        self._settings = settings
        self._place = place
        self._status = Status()
        self._view = CancelView(place.owner, self.cancel)
        self._editor = Editor(lambda page: place.show(page, self._view), on_lost=self.cancel)
        self._asked = discord.utils.utcnow()
        self._until = asyncio.get_running_loop().time() + _PRIVATE_SECONDS if place.private else None
        self._acknowledged = False
        self._running = False
        self._delivered = False
        self._before: tuple[Page, discord.ui.View] | None = None
        self._cancelled = ""
        self._register = register
        self.closed = asyncio.Event()
        self._work: asyncio.Task[Any] | None = None

    @property
    def owner(self) -> int:
        """Who asked."""
        return self._place.owner

    @property
    def asker(self) -> str:
        """Who asked, as a mention, where Discord does not say so."""
        return self._place.asker

    @property
    def where(self) -> tuple[int, int]:
        """The ids of channel and message, once acknowledged."""
        return self._place.where

    @property
    def private(self) -> bool:
        """Whether only the person who asked sees the message."""
        return self._place.private

    @property
    def limits(self) -> Limits:
        """The operator's, or those of the server where they are lower."""
        return narrowed(self.engine.config.limits, self._server)

    def check(self, request: Request) -> ModelSpec:
        """Refuse what can be refused from memory; before `acknowledge`, so that only the person who asked sees why.

        Returns the model that would serve; raises what `Engine.check` raises.
        """
        self.check_here()
        self._check_others()
        return self.engine.check(self._settled(request))

    def check_here(self) -> None:
        """Raises InvalidRequest where the server's rules keep this person from asking."""
        check_spot(self._place.spot, self._server)

    async def acknowledge(self) -> None:
        """Defer, unless done; raises InvalidRequest as `check_here` does.

        What is refused before this is refused privately without a trace.
        """
        if not self._acknowledged:
            self.check_here()
            await self._place.acknowledge()
            self._acknowledged = True

    async def run(self, request: Request, kind: type[V], status: Status | None = None) -> V:
        """The request's result, a `kind`; raises what `Engine.stream` raises. `status` words the way there."""
        self.check(request)
        self._status = status or Status()
        if self._status.stop:
            self._view.cancel.label = self._status.stop
        self._running = True
        try:
            await self.acknowledge()
            value = await self.wait(self._follow(self._settled(request)))
        finally:
            self._running = False
        assert isinstance(value, kind)
        return value

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns, unless somebody cancels: then raises RequestCancelled.

        Raises RequestTimeout where a private message is about to be out of reach, however many waits there were.
        """
        self._work = task = asyncio.create_task(work)
        if self._cancelled:
            task.cancel()
        limit = asyncio.timeout_at(self._until)
        try:
            async with limit:
                return await task
        except asyncio.CancelledError:
            if self._cancelled:
                raise RequestCancelled(self._cancelled) from None
            raise
        except TimeoutError as error:
            if limit.expired():
                raise RequestTimeout(
                    "Discord leaves a quarter of an hour for a private answer, so this was stopped. Try again when "
                    "the queue is shorter, or ask for less."
                ) from error
            raise

    def tell(self, page: Page, pause: float) -> None:
        """Show `page` soon, and nothing else for `pause` seconds: the way to what `wait` waits for."""
        self._editor.show(lambda: page, pause)

    async def finish(self, page: Page, view: discord.ui.View | None = None) -> None:
        """The last word: `page`, over several messages when it is long, or in a file if those are not taken."""
        await self._editor.close()
        page = await within_limit(page, self._place.upload_limit)
        first, *rest = pages(page, self._place.upload_limit)
        await self._place.show(first, view)
        self._delivered = True
        try:
            for part in rest:
                await self._place.more(part)
        except DELIVERY as error:
            log.warning("a message below was not taken, so the text goes into a file: %s", error)
            await self._place.show(with_file(page, self._place.upload_limit), view)

    def keeps(self, page: Page, view: discord.ui.View) -> None:
        """The message shows this already, and shows it again if nothing comes of the job; why is told in private."""
        self._before = page, view

    async def notify_if_late(self, text: str) -> None:
        """Tell who asked, where it took so long that they may have gone: edits do not notify."""
        if discord.utils.utcnow() - self._asked < _PATIENCE:
            return
        try:
            await self._place.notify(text)
        except DELIVERY as error:
            log.warning("could not tell %s that it is done: %s", self._place.owner, error)

    def cancel(self, why: str = later("Cancelled.")) -> None:
        """Stop what runs or waits; `run` and `wait` then raise RequestCancelled, with `why` for its words."""
        self._cancelled = why
        if self._work:
            self._work.cancel()

    async def __aenter__(self) -> Self:
        self._register.add(self)
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None, /
    ) -> bool:
        try:
            await self._editor.close()
            self._view.stop()
            if isinstance(error, Exception):
                await self._apologize(error)
        finally:
            self._register.discard(self)
            self.closed.set()
        return isinstance(error, Exception)

    @property
    def _server(self) -> ServerSettings:
        return self._settings.server(self._place.spot.guild)

    def _settled(self, request: Request) -> Request:
        return settled(request, self.engine, self._server, self._settings.person(self.owner))

    def _check_others(self) -> None:
        """Only the server's limit: the operator's is kept by the queue."""
        most, mine = self._server.per_person, self._place.spot
        if most is None:
            return
        spots = [job._place.spot for job in self._register if job is not self and job._running]
        if sum((spot.person, spot.guild) == (mine.person, mine.guild) for spot in spots) >= most:
            raise InvalidRequest(
                "On this server, {most} is the most requests of one person at a time. Wait until one has ended, or "
                "cancel one.",
                most=most,
            )

    async def _follow(self, request: Request) -> Value:
        async with aclosing(self.engine.stream(request)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.value
                self._editor.show(*self._status.page(event))
        raise AssertionError("a stream ends with a Result or an error")

    async def _apologize(self, error: Exception) -> None:
        if self._editor.lost or is_deleted(error):
            return
        text = report(error, self._place.command)
        try:
            if self._before:
                if self._acknowledged:
                    await self.finish(*self._before)
                await self._place.refuse(text)
            elif self._delivered:  # what is there stays
                await self._place.more(Page(tr("The rest could not be shown. {reason}", reason=text)))
            elif isinstance(error, (*PRIVATE, *DELIVERY)) or not self._acknowledged:
                await self._place.refuse(text)
            elif written := self._status.written:
                await self.finish(replace(written, note=text))
            else:
                await self._place.show(Page(text))
        except DELIVERY as failure:
            log.warning("could not tell %s: %s", self._place.owner, failure)
