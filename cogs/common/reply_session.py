"""One request of one person, and the one message that shows its progress and result."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Coroutine, Iterable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import discord

from cogs.common.error_messages import DELIVERY, PRIVATE, is_deleted, report
from cogs.common.message_content import MessageContent, compress_large_pictures, split_into_messages, with_file
from cogs.common.progress_renderer import ProgressRenderer
from cogs.common.responder import Responder
from cogs.common.rules import apply_settings, check_origin, effective_limits
from cogs.common.throttled_editor import ThrottledEditor
from cogs.common.views import CancelView
from cogs.i18n import gettext_noop, tr
from inference import (
    CheckedRequest,
    Engine,
    InvalidRequest,
    Limits,
    Output,
    Request,
    RequestCancelled,
    RequestTimeout,
    Result,
)
from storage import ServerSettings, SettingsTables

log = logging.getLogger(__name__)

_PATIENCE = datetime.timedelta(minutes=1)
"""The wait after which the person is notified, since they may no longer be looking."""

_PRIVATE_SECONDS = 14 * 60.0
"""The time limit of a private message, which can be edited for 15 minutes only."""

T = TypeVar("T")
R = TypeVar("R", bound=Request)
V = TypeVar("V", bound=Output)


class ReplySession:
    """A session that runs requests and keeps the message up to date; the message always shows how the request ended.

    async with sessions.open(responder) as session:
        summary = await session.run(session.check(request), Summary)
        await session.finish(MessageContent(summary.text))
    """

    def __init__(
        self, responder: Responder, engine: Engine, settings: SettingsTables, register: set[ReplySession]
    ) -> None:
        self.engine = engine
        self._settings = settings
        self._responder = responder
        self._status = ProgressRenderer()
        self._view = CancelView(responder.owner, self.cancel)
        self._editor = ThrottledEditor(lambda content: responder.show(content, self._view), on_lost=self.cancel)
        self._asked = discord.utils.utcnow()
        self._until = asyncio.get_running_loop().time() + _PRIVATE_SECONDS if responder.private else None
        self._acknowledged = False
        self._running = False
        self._delivered = False
        self._restore: tuple[MessageContent, discord.ui.View] | None = None
        self._cancelled = ""
        self._register = register
        self.closed = asyncio.Event()
        self._work: asyncio.Task[Any] | None = None

    @property
    def owner(self) -> int:
        """The id of the person who asked."""
        return self._responder.owner

    @property
    def asker(self) -> str:
        """The person who asked, as a mention; empty where Discord shows it anyway."""
        return self._responder.asker

    @property
    def where(self) -> tuple[int, int]:
        """The ids of channel and message, once acknowledged."""
        return self._responder.where

    @property
    def private(self) -> bool:
        """Whether only the person who asked sees the message."""
        return self._responder.private

    @property
    def limits(self) -> Limits:
        """The operator's limits, or the server's where they are lower."""
        return effective_limits(self.engine.config.limits, self._server)

    def check(self, request: R, *, pending: Iterable[str] = ()) -> CheckedRequest[R]:
        """Apply the settings and check the request without reading anything; raise what `Engine.check` raises.

        Call it before `acknowledge`, so that only the person who asked sees an error. `pending` as for `Engine.check`.
        """
        self.check_rules()
        self._check_server_limit()
        pending = frozenset(pending)
        return self.engine.check(self._with_settings(request, pending), pending=pending)

    def check_rules(self) -> None:
        """Raise InvalidRequest if the server's rules don't let this person ask here."""
        check_origin(self._responder.origin, self._server)

    async def acknowledge(self) -> None:
        """Defer the response, unless that is done; raise InvalidRequest as `check_here` does.

        An error before this is shown to the person alone, and leaves no message in the channel.
        """
        if not self._acknowledged:
            self.check_rules()
            await self._responder.acknowledge()
            self._acknowledged = True

    async def run(
        self, checked: CheckedRequest[Request], kind: type[V], status: ProgressRenderer | None = None, **inputs: object
    ) -> V:
        """Return the request's result, a `kind`; raise what `Engine.stream` raises.

        `inputs` are those that were pending when it was checked. `status` renders the progress.
        """
        if inputs:
            checked = self.engine.with_inputs(checked, **inputs)
        self._check_server_limit()
        self._status = status or ProgressRenderer()
        if self._status.stop:
            self._view.cancel.label = self._status.stop
        self._running = True
        try:
            await self.acknowledge()
            value = await self.wait(self._follow(checked))
        finally:
            self._running = False
        assert isinstance(value, kind)
        return value

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`; raise RequestCancelled if somebody cancels.

        Raise RequestTimeout shortly before a private message can no longer be edited; all waits share this limit.
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

    def show_progress(self, content: MessageContent, pause: float) -> None:
        """Show `content` soon, and nothing else for `pause` seconds; use it for progress during `wait`."""
        self._editor.schedule(lambda: content, pause)

    async def finish(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        """Show the final `content`: in several messages if it is long, or with a file if Discord refuses those."""
        await self._editor.close()
        content = await compress_large_pictures(content, self._responder.upload_limit)
        first, *rest = split_into_messages(content, self._responder.upload_limit)
        await self._responder.show(first, view)
        self._delivered = True
        try:
            for part in rest:
                await self._responder.more(part)
        except DELIVERY as error:
            log.warning("Discord refused a further message, so the text goes into a file: %s", error)
            await self._responder.show(with_file(content, self._responder.upload_limit), view)

    def keep_on_failure(self, content: MessageContent, view: discord.ui.View) -> None:
        """If the request fails, show this content, which the message has now, again; show the error in private."""
        self._restore = content, view

    async def notify_if_late(self, text: str) -> None:
        """Notify the person who asked if it took long, since edits do not notify."""
        if discord.utils.utcnow() - self._asked < _PATIENCE:
            return
        try:
            await self._responder.notify(text)
        except DELIVERY as error:
            log.warning("could not tell %s that it is done: %s", self._responder.owner, error)

    def cancel(self, reason: str = gettext_noop("Cancelled.")) -> None:
        """Stop the running request; `run` and `wait` then raise RequestCancelled with the message `reason`."""
        self._cancelled = reason
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
        return self._settings.server(self._responder.origin.guild)

    def _with_settings(self, request: R, pending: frozenset[str]) -> R:
        return apply_settings(request, self.engine, self._server, self._settings.person(self.owner), pending)

    def _check_server_limit(self) -> None:
        """Check the server's limit; the queue checks the operator's."""
        limit, own = self._server.per_person, self._responder.origin
        if limit is None:
            return
        origins = [session._responder.origin for session in self._register if session is not self and session._running]
        if sum((origin.person, origin.guild) == (own.person, own.guild) for origin in origins) >= limit:
            raise InvalidRequest(
                "On this server, {most} is the most requests of one person at a time. Wait until one has ended, or "
                "cancel one.",
                most=limit,
            )

    async def _follow(self, checked: CheckedRequest[Request]) -> Output:
        async with aclosing(self.engine.stream(checked)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.output
                self._editor.schedule(*self._status.render(event))
        raise AssertionError("a stream ends with a Result or an error")

    async def _apologize(self, error: Exception) -> None:
        if self._editor.lost or is_deleted(error):
            return
        text = report(error, self._responder.command)
        try:
            if self._restore:
                if self._acknowledged:
                    await self.finish(*self._restore)
                await self._responder.refuse(text)
            elif self._delivered:  # keep what is already shown
                await self._responder.more(MessageContent(tr("The rest could not be shown. {reason}", reason=text)))
            elif isinstance(error, (*PRIVATE, *DELIVERY)) or not self._acknowledged:
                await self._responder.refuse(text)
            elif partial := self._status.partial_content:
                await self.finish(replace(partial, note=text))
            else:
                await self._responder.show(MessageContent(text))
        except DELIVERY as failure:
            log.warning("could not tell %s: %s", self._responder.owner, failure)
