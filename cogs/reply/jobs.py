"""All jobs under way, so that none is left without a last word when the bot stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from cogs.language import later
from cogs.reply.job import Job
from cogs.reply.place import Place
from inference import Engine
from storage import Settings

_SECONDS_TO_CLOSE = 5


class Jobs:
    """Opens jobs on one engine, under the settings of server and person, and closes those that are open."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self._settings = settings
        self._open: set[Job] = set()

    def open(self, place: Place) -> Job:
        """A job that tells its progress at `place`; use it in an `async with`."""
        return Job(place, self.engine, self._settings, self._open)

    async def close(self) -> None:
        """Cancel every job, and give each a moment to say so."""
        await _end(list(self._open), later("The bot is being restarted. Ask again in a minute."))

    async def end_of(self, person: int, why: str, *, but: Job) -> None:
        """Cancel every job of this person `but` one, and give each a moment to say `why`."""
        await _end([job for job in self._open if job.owner == person and job is not but], why)


async def _end(jobs: Sequence[Job], why: str) -> None:
    for job in jobs:
        job.cancel(why)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_CLOSE):
            await asyncio.gather(*(job.closed.wait() for job in jobs))
