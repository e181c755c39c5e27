"""The stored texts of a person."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from storage import CompletionTable


class PersonalTexts(PersonalData):
    """The texts by the person and the model."""

    name = "completions"

    def __init__(self, completions: CompletionTable) -> None:
        self._completions = completions

    async def describe(self, person: int) -> str:
        count = await self._completions.count_of(person)
        if not count:
            return ""
        return ntr(
            "{count} text of /complete: what you wrote, and what the model wrote. Its buttons need that.",
            "{count} texts of /complete: what you wrote, and what the model wrote. Their buttons need that.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._completions.export_of(person)

    async def forget(self, person: int) -> None:
        await self._completions.forget_owner(person)
