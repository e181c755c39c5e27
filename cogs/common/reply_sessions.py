"""All open sessions: they are closed properly when the bot stops, and opened again after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import replace
from typing import Any

import discord

from cogs.common.access import check_access_of
from cogs.common.reply_session import ReplyJob, ReplySession
from cogs.common.responder import Responder, Unreachable, responder_to
from cogs.common.rules import Services, check_taken
from cogs.common.target import Target, new_request_id
from cogs.i18n import set_language
from inference import GenerationFailed, InvalidRequest, from_json
from storage import Block, StorageError, StoredJob

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
        self._finding = asyncio.Lock()
        """One at a time: two requests of one press must not find the same message."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.resumed = 0
        """How many requests of before the restart went on."""

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
        sessions = (session for session in self._open if session.target.message == message and session is not but)
        return next((session for session in sessions if session.acknowledged), None)

    def of_person(self, person: int, channel: int) -> list[ReplySession]:
        """Return the sessions of this person whose progress a message in the channel shows."""
        own = (session for session in self._open if session.owner == person and session.target.channel == channel)
        return [session for session in own if session.acknowledged]

    def targets(self) -> list[Target]:
        """Return where the open sessions reply."""
        return [session.target for session in self._open]

    async def resume(self, client: discord.Client) -> None:
        """Go on with the requests that were accepted before a restart, in the order in which they came."""
        try:
            jobs = await self._services.store.jobs.open_jobs()
        except StorageError as error:
            log.error("the requests of before the restart can't be read: %s", error)
            return
        if jobs:
            log.info("%d requests go on after the restart", len(jobs))
        self.resumed += len(jobs)
        for stored in jobs:
            job = await asyncio.to_thread(_job_of, stored)  # in this order, so that nobody overtakes
            self._start(self._resume(client, stored, job))

    async def begin(self, client: discord.Client, question_id: str, target: Target, jobs: Sequence[ReplyJob]) -> bool:
        """Turn a question into `jobs` in one step, and answer each in a new message at `target`.

        Return False if the question is closed. Raise InvalidRequest while no new requests are taken.
        """
        check_taken(self.engine)
        targets = [replace(target, request_id=new_request_id()) for _ in jobs]
        rows = list(zip(targets, jobs, strict=True))
        server = target.origin.guild or 0
        stored = await self._services.store.jobs.add_from_question(
            question_id, target.owner, server, target.channel, rows
        )
        for row, job, own_target in zip(stored, jobs, targets, strict=False):  # none if it is closed
            self._start(self._go_on(row, job, responder_to(client, own_target), is_new=True))
        return bool(stored)

    async def close(self) -> None:
        """Stop every session, and wait a moment until each has said so. Those that are stored go on after a restart."""
        await _end_all(list(self._open), ReplySession.postpone)

    async def leave(self) -> None:
        """Stop every session without a word: another process goes on with those that are stored."""
        await _end_all(list(self._open), ReplySession.leave)

    async def end_of(self, person: int, reason: str, *, but: ReplySession | None) -> None:
        """Cancel every session of this person, `but` one, and wait a moment until each has shown `reason`."""
        own = [session for session in self._open if session.owner == person and session is not but]
        await _end_all(own, lambda session: session.cancel(reason))

    async def end_blocked(self, block: Block, reason: str, *, but: ReplySession | None) -> None:
        """Cancel every session that the block forbids, `but` one, and wait a moment until each has shown `reason`."""
        found = [session for session in self._open if session is not but and _forbids(block, session)]
        await _end_all(found, lambda session: session.cancel(reason))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resume(self, client: discord.Client, stored: StoredJob, job: ReplyJob | Exception | None) -> None:
        try:
            target = from_json(stored.target, Target)
        except (ValueError, TypeError):
            log.exception("request %d of before the restart can't be read, and is dropped", stored.id)
            await self._services.store.jobs.forget(stored.id)
            return
        set_language(target.language, target.menus)
        pressed = {target.pressed_in} - {0}
        self._claimed |= pressed
        try:
            await self._go_on(stored, job, responder_to(client, target))
        finally:
            self._claimed -= pressed

    async def _go_on(
        self, stored: StoredJob, job: ReplyJob | Exception | None, responder: Responder, *, is_new: bool = False
    ) -> None:
        target = responder.target
        async with ReplySession(responder, self._services, self._open, stored) as session:
            if target.private and not target.has_token:
                raise Unreachable
            async with self._finding:
                await session.find_message(is_new=is_new)
            if isinstance(job, Exception):
                raise job
            if job:
                job.prepare(session)
            if stored.deaths >= _MOST_DEATHS:
                raise GenerationFailed(
                    "I was ended {count} times while a model worked on this, so I don't try it again. Ask for less, or "
                    "choose another model.",
                    count=stored.deaths,
                )
            if not job:
                raise InvalidRequest("I was restarted before I had read everything that this needs. Ask again.")
            check_access_of(target.origin, self._services)  # the person or the server may have been blocked since
            await session.perform(job)


def _forbids(block: Block, session: ReplySession) -> bool:
    origin = session.target.origin
    return block.forbids(origin.person, origin.guild)


def _job_of(stored: StoredJob) -> ReplyJob | Exception | None:
    """Return what was asked for; None if it was not read before the restart, or the error of damaged data."""
    try:
        return from_json(stored.work, ReplyJob) if stored.work else None
    except (ValueError, TypeError) as error:
        return error


async def _end_all(sessions: Sequence[ReplySession], end: Callable[[ReplySession], None]) -> None:
    for session in sessions:
        end(session)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_CLOSE):
            await asyncio.gather(*(session.closed.wait() for session in sessions))
