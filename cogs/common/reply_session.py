"""One request of one person, and the one message that shows its progress and result."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import discord

from cogs.common.delivery import DELIVERY
from cogs.common.job_record import JobRecord
from cogs.common.message_content import MessageContent
from cogs.common.progress_renderer import ProgressRenderer
from cogs.common.quotas import cost_note
from cogs.common.reply_message import ReplyMessage, SessionPostponed
from cogs.common.responder import Responder
from cogs.common.rules import Services, apply_settings, check_number, check_origin, check_taken, effective_limits
from cogs.common.target import Target, now
from cogs.i18n import gettext_noop
from inference import (
    CheckedRequest,
    Limits,
    Loading,
    Output,
    Request,
    RequestCancelled,
    RequestTimeout,
    Result,
    Started,
)
from storage import SentAnswer, ServerSettings, StorageError, StoredJob

log = logging.getLogger(__name__)

_PATIENCE = 60.0
"""The wait in seconds after which the person is notified, since they may no longer be looking."""

_PRIVATE_MARGIN = 60.0
"""How many seconds before the end of its token a private message gets its last edit."""

T = TypeVar("T")
R = TypeVar("R", bound=Request)
V = TypeVar("V", bound=Output)


class ReplyJob(ABC):
    """A request with all that its answer needs. Subclasses are frozen dataclasses, marked as `serializable`.

    `answer` runs the request and shows the result. It is the same code before and after a restart, which begins it
    anew; so it must show the same when it is called twice.
    """

    def prepare(self, session: ReplySession) -> None:  # noqa: B027
        """Tell `session` what its message shows if the request fails, where that is more than a sentence."""

    @abstractmethod
    async def answer(self, session: ReplySession) -> None:
        """Answer in the message of `session`, which is acknowledged; raise what `ReplySession.run` raises."""


class ReplySession:
    """A session that runs requests and keeps the message up to date; the message always shows how the request ended.

    async with sessions.open(responder) as session:
        await session.perform(SummaryJob(session.check(request)))

    From the acknowledgement of a request to the end of the session there is a row in the table of jobs; `stored` is one
    of before a restart.
    """

    def __init__(
        self, responder: Responder, services: Services, register: set[ReplySession], stored: StoredJob | None = None
    ) -> None:
        self.engine = services.engine
        self.services = services
        self._settings = services.store.settings
        # A full disk stays full, but a database that is away comes back.
        self._record = JobRecord(services.store.jobs, stored, is_required=services.store.is_shared)
        self._responder = responder
        self._message = ReplyMessage(responder, on_lost=self.cancel)
        self._asked = stored.created if stored else now()
        self._until = self._time_limit()
        self.resumed = stored is not None
        """Whether the request was accepted before a restart."""
        self.acknowledged = self.resumed
        """Whether the message shows progress or a result of this request."""
        self._cost = 0.0
        """The seconds of a device that the request is expected to take; 0: not known."""
        self._postponed = False
        self._running = False
        self._begun = False
        """Whether a model has been asked: from then on, no quota refuses the rest."""
        self._cancelled = ""
        self._register = register
        self.closed = asyncio.Event()
        self._work: asyncio.Task[Any] | None = None

    @property
    def owner(self) -> int:
        """The id of the person who asked."""
        return self.target.owner

    @property
    def target(self) -> Target:
        """Where the reply goes."""
        return self._responder.target

    @property
    def channel(self) -> discord.PartialMessageable:
        """The channel of the reply."""
        return self._responder.channel()

    @property
    def me(self) -> discord.ClientUser | None:
        """The bot itself."""
        return self._responder.me

    @property
    def where(self) -> tuple[int, int]:
        """The ids of channel and message, once acknowledged."""
        target = self.target
        assert target.message is not None, "acknowledge() comes first"
        return target.channel, target.message

    @property
    def limits(self) -> Limits:
        """The operator's limits, or the server's where they are lower."""
        return effective_limits(self.engine.config.limits, self._server)

    def check(self, request: R, *, pending: Iterable[str] = ()) -> CheckedRequest[R]:
        """Apply the settings and check the request without reading anything; raise what `Engine.check` raises.

        Call it before `acknowledge`, so that only the person who asked sees an error. `pending` as for `Engine.check`.
        """
        self.check_rules()
        self.check_server_limit()
        pending = frozenset(pending)
        person = self._settings.person(self.owner)
        request = replace(request, group=str(self.target.origin.guild or ""))
        request = apply_settings(request, self.engine, self._server, person, pending)
        checked = self.engine.check(request, pending=pending)
        self.check_quotas([checked])
        return checked

    def check_rules(self) -> None:
        """Raise InvalidRequest if the server's rules don't let this person ask here."""
        check_origin(self.target.origin, self._server)

    def check_server_limit(self, count: int = 1) -> None:
        """Raise InvalidRequest if `count` more requests are too many for the server; the queue checks its own limit."""
        if not self.resumed:
            others = (session for session in self._register if session is not self and session._running)
            check_number(self.target.origin, (session.target.origin for session in others), self._server, count)

    def check_quotas(self, requests: Sequence[CheckedRequest[Request]]) -> float | None:
        """Raise InvalidRequest if the quotas have no room for these requests; else they count until this session ends.

        Return the seconds that they are expected to take; None if that is not known.
        """
        quotas, origin = self.services.quotas, self.target.origin
        costs = [cost for each in requests if (cost := self.engine.expected_seconds(each)) is not None]
        cost = sum(costs) if costs else None
        if not self.resumed and not self._begun:
            quotas.check(origin, cost, self)
        self._cost = cost or 0.0
        quotas.reserve(origin, cost, self)
        return cost

    async def perform(self, job: ReplyJob) -> None:
        """Store `job`, which then goes on after a restart, acknowledge, and answer it; raise what `run` raises."""
        if not self.resumed:
            await self._record.set_work(job)
        await self.acknowledge()
        job.prepare(self)
        await job.answer(self)

    async def store(self) -> None:
        """Store that there is a request before it is acknowledged; after a kill, the person is asked to ask again."""
        await self._record.add(self.target, self._cost)

    async def acknowledge(self, *, stored: bool = True) -> None:
        """Store the request and defer the response, unless that is done; raise InvalidRequest as `check_rules` does.

        Raise StorageError while a database that several processes share is away. What only shows something need not be
        `stored`, and is then shown meanwhile too.

        An error before this is shown to the person alone, and leaves no message in the channel.
        """
        if self.acknowledged:
            return
        check_taken(self.engine)
        self.check_rules()
        target = self.target
        if stored:
            await self._record.add(target, self._cost)
        await self._responder.acknowledge()
        self.acknowledged = True
        if self.target != target:
            await self._record.move(self.target)

    async def find_message(self, *, is_new: bool) -> None:
        """Find the message of a request of before a restart; raise NeverAcknowledged if there is none.

        For a request that `is_new`, which nobody has answered yet, send it.
        """
        if self.target.message is None:
            await (self._responder.acknowledge() if is_new else self._responder.find_message(self._is_taken))
            await self._record.move(self.target)

    async def run(
        self, checked: CheckedRequest[Request], kind: type[V], status: ProgressRenderer | None = None, **inputs: object
    ) -> V:
        """Return the request's result, a `kind`; raise what `Engine.stream` raises.

        `inputs` are those that were pending when it was checked. `status` renders the progress.
        """
        if inputs:
            checked = self.engine.with_inputs(checked, **inputs)
        self.check_server_limit()
        if self.resumed:  # the settings may have changed since
            checked = self.engine.check(replace(checked.request, model=checked.spec.name))
        self._message.status = status or ProgressRenderer()
        self._begin([checked])
        self._running = True
        try:
            await self.acknowledge()
            await self._record.set_cost(self._cost)
            await self._note_who_asked(checked)
            value = await self.wait(self._follow(checked))
        finally:
            self._running = False
            self.services.quotas.reserve(self.target.origin, 0.0, self)  # what it took is counted as used
        assert isinstance(value, kind)
        return value

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`; raise RequestCancelled if somebody cancels.

        Raise RequestTimeout shortly before a private message can no longer be edited; all waits share this limit.
        """
        self._work = task = asyncio.create_task(work)
        if self._cancelled or self._postponed:
            task.cancel()
        limit = asyncio.timeout_at(self._until)
        try:
            async with limit:
                return await task
        except asyncio.CancelledError:
            if self._cancelled:
                raise RequestCancelled(self._cancelled) from None
            if self._postponed:
                raise SessionPostponed from None
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
        self._message.show_progress(content, pause)

    async def finish(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        """Show the final `content`: in several messages if it is long, or with a file if Discord refuses those."""
        await self._message.finish(content, view)

    def keep_on_failure(self, content: MessageContent, view: discord.ui.View) -> None:
        """If the request fails, show this content, which the message has now, again; show the error in private."""
        self._message.keep_on_failure(content, view)

    async def notify_if_late(self, text: str) -> None:
        """Notify the person who asked if it took long, since edits do not notify."""
        if now() - self._asked < _PATIENCE:
            return
        try:
            await self._responder.notify(text)
        except DELIVERY as error:
            log.warning("could not tell %s that it is done: %s", self.owner, error)

    def cancel(self, reason: str = gettext_noop("Cancelled.")) -> None:
        """Stop the running request; `run` and `wait` then raise RequestCancelled with the message `reason`."""
        self._cancelled = reason
        if self._work:
            self._work.cancel()

    def postpone(self) -> None:
        """Stop, since the bot stops. The request goes on after the restart, if it is stored as a whole."""
        if self._record.goes_on_after_restart:
            self._postponed = True
            if self._work:
                self._work.cancel()
        else:
            self.cancel(gettext_noop("The bot is being restarted. Ask again in a minute."))

    def leave(self) -> None:
        """Stop, and say nothing: another process goes on with the request, in the same message."""
        if self._work:
            self._work.cancel()

    async def __aenter__(self) -> Self:
        self._register.add(self)
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None, /
    ) -> bool:
        try:
            await self._message.close(error, acknowledged=self.acknowledged)
        finally:
            goes_on = isinstance(error, SessionPostponed) or not isinstance(error, Exception | None)
            await self._record.end(goes_on=goes_on or self._message.undelivered)
            self.services.quotas.end(self)
            self._register.discard(self)
            self.closed.set()
        return isinstance(error, Exception)

    def _is_taken(self, message: int) -> bool:
        """Return whether another session shows its progress in this message."""
        return any(session.target.message == message for session in self._register if session is not self)

    @property
    def _server(self) -> ServerSettings:
        return self._settings.server(self.target.origin.guild)

    def _begin(self, requests: Sequence[CheckedRequest[Request]]) -> None:
        """Check the quotas once more, now that all inputs are known, and let a large request say what it takes."""
        cost = self.check_quotas(requests)
        quotas, origin = self.services.quotas, self.target.origin
        self._message.status.note = cost_note(quotas.allowances(origin, but=self), cost)
        if not self._begun:
            quotas.begin(origin, self)
        self._begun = True

    async def _follow(self, checked: CheckedRequest[Request]) -> Output:
        async with aclosing(self.engine.stream(checked, self.target.request_id)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.output
                if isinstance(event, Loading | Started):  # loading may end the process too
                    await self._record.start()
                self._message.show_event(event)
        raise AssertionError("a stream ends with a Result or an error")

    async def _note_who_asked(self, checked: CheckedRequest[Request]) -> None:
        """Store who asks which model in this message, for reports of it."""
        target = self.target
        if target.message is None:
            return
        answer = SentAnswer(self.owner, checked.spec.task, checked.spec.name)
        try:
            await self.services.store.sent_answers.keep(target.channel, target.message, answer, private=target.private)
        except StorageError as error:
            log.error("a report of this answer would not say who asked for it: %s", error)

    def _time_limit(self) -> float | None:
        """Return when a private message can no longer be edited, on the clock of the event loop."""
        target = self.target
        left = target.expires - _PRIVATE_MARGIN - now()
        return asyncio.get_running_loop().time() + left if target.private else None
