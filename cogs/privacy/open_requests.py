"""The requests of a person that have not ended, and what the queue remembers of their use."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from inference import Engine
from storage import JobTable


class OpenRequests(PersonalData):
    """The requests that go on after a restart."""

    name = "open_requests"

    def __init__(self, jobs: JobTable, engine: Engine) -> None:
        self._jobs = jobs
        self._engine = engine

    async def describe(self, person: int) -> str:
        count = await self._jobs.count_of(person)
        if not count:
            return ""
        return ntr(
            "{count} request that has not ended, with what you gave for it, so that it goes on after a restart.",
            "{count} requests that have not ended, with what you gave for them, so that they go on after a restart.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._jobs.export_of(person)

    async def forget(self, person: int) -> None:
        await self._jobs.forget_owner(person)
        await self._jobs.forget_ended()
        await self._engine.forget_owner(str(person))
