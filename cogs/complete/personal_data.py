"""The texts that are kept of a person."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from storage import TextThreadTable


class PersonalTexts(PersonalData):
    """What the person and the model wrote."""

    name = "text_threads"

    def __init__(self, threads: TextThreadTable) -> None:
        self._threads = threads

    async def describe(self, person: int) -> str:
        count = await self._threads.count_of(person)
        return ntr(
            "{count} text of /complete: what you wrote, and what the model wrote. Its buttons need that.",
            "{count} texts of /complete: what you wrote, and what the model wrote. Their buttons need that.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._threads.export_of(person)

    async def forget(self, person: int) -> None:
        await self._threads.forget_owner(person)
