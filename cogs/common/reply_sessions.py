"""All sessions under way, so that none is left without a last word when the bot stops."""

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
    """Opens sessions on one engine, under the settings of server and person, and closes those that are open."""

    def __init__(self, engine: Engine, settings: SettingsTables) -> None:
        self.engine = engine
        self._settings = settings
        self._open: set[ReplySession] = set()
        self._claimed: set[int] = set()

    def open(self, responder: Responder) -> ReplySession:
        """Return a session that tells its progress at `responder`; use it in an `async with`."""
        return ReplySession(responder, self.engine, self._settings, self._open)

    @contextlib.contextmanager
    def claim(self, message: int, busy: str) -> Generator[None]:
        """Claim a message for one press; raise InvalidRequest, with the sentence `busy`, while another has it."""
        if message in self._claimed:
            raise InvalidRequest(busy)
        self._claimed.add(message)
        try:
            yield
        finally:
            self._claimed.remove(message)

    async def close(self) -> None:
        """Cancel every session, and give each a moment to say so."""
        await _end(list(self._open), gettext_noop("The bot is being restarted. Ask again in a minute."))

    async def end_of(self, person: int, why: str, *, but: ReplySession) -> None:
        """Cancel every session of this person `but` one, and give each a moment to say `why`."""
        await _end([session for session in self._open if session.owner == person and session is not but], why)


async def _end(sessions: Sequence[ReplySession], why: str) -> None:
    for session in sessions:
        session.cancel(why)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_CLOSE):
            await asyncio.gather(*(session.closed.wait() for session in sessions))
