"""All open sessions: they are closed properly when the bot stops, and opened again after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Generator, Sequence

import discord

from cogs.common.reply_session import ReplyJob, ReplySession
from cogs.common.responder import Responder, Unreachable, responder_to
from cogs.common.rules import Services
from cogs.common.target import Target
from cogs.i18n import set_language
from inference import GenerationFailed, InvalidRequest, from_json
from storage import StoredJob

log = logging.getLogger(__name__)

_SECONDS_TO_CLOSE = 5

_MOST_DEATHS = 2
"""How often the process may end while a model works on a request, before the request counts as the reason."""


class ReplySessions:
    """The open sessions of one bot."""

    def __init__(self, services: Services) -> None:
        self.engine = services.engine
        self._services = services
        self._open: set[ReplySession] = set()
        self._claimed: set[int] = set()
        self._resumed: list[asyncio.Task[None]] = []

    def open(self, responder: Responder) -> ReplySession:
        """Return a session that replies through `responder`; use it in an `async with`."""
        return ReplySession(responder, self._services, self._open)

    @contextlib.contextmanager
    def claim(self, message: int, busy: str) -> Generator[None]:
        """Lock a message for one press; raise InvalidRequest with the text `busy` if another press has the lock."""
        if message in self._claimed:
            raise InvalidRequest(busy)
        self._claimed.add(message)
        try:
            yield
        finally:
            self._claimed.remove(message)

    def in_message(self, message: int, *, but: ReplySession) -> ReplySession | None:
        """Return the session other than `but` whose progress this message shows, if there is one."""
        return next((session for session in self._open if session.message == message and session is not but), None)

    async def resume(self, client: discord.Client) -> None:
        """Go on with the requests that were accepted before a restart, in the order in which they came."""
        jobs = await self._services.store.jobs.open_jobs()
        if jobs:
            log.info("%d requests go on after the restart", len(jobs))
        self._resumed = [asyncio.create_task(self._resume(client, job)) for job in jobs]

    async def close(self) -> None:
        """Stop every session, and wait a moment until each has said so. Those that are stored go on after a restart."""
        await _end_all(list(self._open), ReplySession.postpone)

    async def end_of(self, person: int, reason: str, *, but: ReplySession) -> None:
        """Cancel every session of this person `but` one, and wait a moment until each has shown `reason`."""
        sessions = [session for session in self._open if session.owner == person and session is not but]
        await _end_all(sessions, lambda session: session.cancel(reason))

    async def _resume(self, client: discord.Client, stored: StoredJob) -> None:
        target = from_json(stored.target, Target)
        set_language(target.language, target.menus)
        responder = responder_to(client, target)
        async with ReplySession(responder, self._services, self._open, stored) as session:
            if target.private and not target.has_token:
                raise Unreachable
            if target.message is None:
                await responder.find_message()
            if stored.deaths >= _MOST_DEATHS:
                raise GenerationFailed(
                    "I was ended {count} times while a model worked on this, so I don't try it again. Ask for less, or "
                    "choose another model.",
                    count=stored.deaths,
                )
            if not stored.work:
                raise InvalidRequest("I was restarted before I had read everything that this needs. Ask again.")
            await session.perform(from_json(stored.work, ReplyJob))


async def _end_all(sessions: Sequence[ReplySession], end: Callable[[ReplySession], None]) -> None:
    for session in sessions:
        end(session)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_CLOSE):
            await asyncio.gather(*(session.closed.wait() for session in sessions))
