"""The row of one request in the table of jobs, from its acknowledgement to its end."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator

from cogs.common.target import Target
from storage import JobTable, StorageError, StoredJob

log = logging.getLogger(__name__)


class JobRecord:
    """What the table knows of one request; `stored` is its row of before a restart.

    If the table can't be written, that is logged: the request goes on, but would not after a restart. With
    `is_required`, a request is not accepted then.
    """

    def __init__(self, jobs: JobTable, stored: StoredJob | None, *, is_required: bool = False) -> None:
        self._jobs = jobs
        self._is_required = is_required
        self._id = stored.id if stored else None
        self._work: object = None
        """What `add` is to store."""
        self._has_work = bool(stored and stored.work)
        self._cost = 0.0
        self._started = False

    @property
    def goes_on_after_restart(self) -> bool:
        """Whether all that the answer needs is stored."""
        return self._id is not None and self._has_work

    async def add(self, target: Target, cost: float) -> None:
        """Store the request, before it is acknowledged, unless that is done. `cost` is in seconds of a device.

        Raise StorageError if that is required and can't be done.
        """
        if self._id is not None:
            return
        self._cost = cost
        with contextlib.nullcontext() if self._is_required else _logged():
            self._id = await self._jobs.add(
                target.owner, target.origin.guild or 0, target.channel, target.message, target, self._work, cost=cost
            )

    async def set_work(self, work: object) -> None:
        """Store what is to be done: now, or with `add`."""
        with _logged():
            if self._id is not None:
                await self._jobs.set_work(self._id, work)
            self._work = work
            self._has_work = bool(work)

    async def set_cost(self, cost: float) -> None:
        """Store what the request is expected to take, if that is something else than before."""
        with _logged():
            if self._id is not None and cost != self._cost:
                self._cost = cost
                await self._jobs.set_cost(self._id, cost)

    async def move(self, target: Target) -> None:
        """Store where the reply goes now."""
        with _logged():
            if self._id is not None:
                await self._jobs.move(self._id, target.message, target)

    async def start(self) -> None:
        """Note that a model works on it, so that a request which ends the process is not tried for ever."""
        with _logged():
            if self._id is not None and not self._started:
                self._started = True
                await self._jobs.start(self._id)

    async def end(self, *, goes_on: bool) -> None:
        """Delete the row, or keep it for the next start if the request `goes_on`."""
        with _logged("the end of this request is stored later"):
            if self._id is not None:
                await self._jobs.end(self._id, goes_on=goes_on)


@contextlib.contextmanager
def _logged(problem: str = "this request would not go on after a restart") -> Generator[None]:
    try:
        yield
    except StorageError as error:
        log.error("%s: %s", problem, error)
