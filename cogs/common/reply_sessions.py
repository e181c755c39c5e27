"""All jobs under way, so that none is left without a last word when the bot stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from cogs.common.reply_session import ReplySession
from cogs.common.responder import Responder
from cogs.i18n import gettext_noop
from inference import Engine
from storage import SettingsTables

_SECONDS_TO_CLOSE = 5


class ReplySessions:
    """Opens jobs on one engine, under the settings of server and person, and closes those that are open."""

    def __init__(self, engine: Engine, settings: SettingsTables) -> None:
        self.engine = engine
        self._settings = settings
        self._open: set[ReplySession] = set()

    def open(self, responder: Responder) -> ReplySession:
        """A job that tells its progress at `responder`; use it in an `async with`."""
        return ReplySession(responder, self.engine, self._settings, self._open)

    async def close(self) -> None:
        """Cancel every job, and give each a moment to say so."""
        await _end(list(self._open), gettext_noop("The bot is being restarted. Ask again in a minute."))

    async def end_of(self, person: int, why: str, *, but: ReplySession) -> None:
        """Cancel every job of this person `but` one, and give each a moment to say `why`."""
        await _end([session for session in self._open if session.owner == person and session is not but], why)


async def _end(sessions: Sequence[ReplySession], why: str) -> None:
    for session in sessions:
        session.cancel(why)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_CLOSE):
            await asyncio.gather(*(session.closed.wait() for session in sessions))
