"""All open sessions, which are closed properly when the bot stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Sequence

from cogs.common.reply_session import ReplySession
from cogs.common.responder import Responder
from cogs.i18n import gettext_noop
from inference import Engine, InvalidRequest
from storage import SettingsTables

_SECONDS_TO_CLOSE = 5


class ReplySessions:
    """The open sessions of one engine, under the settings of server and person."""

    def __init__(self, engine: Engine, settings: SettingsTables) -> None:
        self.engine = engine
        self._settings = settings
        self._open: set[ReplySession] = set()
        self._claimed: set[int] = set()

    def open(self, responder: Responder) -> ReplySession:
        """Return a session that replies through `responder`; use it in an `async with`."""
        return ReplySession(responder, self.engine, self._settings, self._open)

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

    async def close(self) -> None:
        """Cancel every session, and wait a moment until each has said so."""
        await _cancel_all(list(self._open), gettext_noop("The bot is being restarted. Ask again in a minute."))

    async def end_of(self, person: int, reason: str, *, but: ReplySession) -> None:
        """Cancel every session of this person `but` one, and wait a moment until each has shown `reason`."""
        await _cancel_all([session for session in self._open if session.owner == person and session is not but], reason)


async def _cancel_all(sessions: Sequence[ReplySession], reason: str) -> None:
    for session in sessions:
        session.cancel(reason)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_CLOSE):
            await asyncio.gather(*(session.closed.wait() for session in sessions))
