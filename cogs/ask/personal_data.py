"""The answers of /ask that are stored for their buttons."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from storage import AnswerTable


class PersonalAnswers(PersonalData):
    """The answers to the person in the last hour, and the parts of the texts that they were found in."""

    name = "answers"

    def __init__(self, answers: AnswerTable) -> None:
        self._answers = answers

    async def describe(self, person: int) -> str:
        count = await self._answers.count_of(person)
        if not count:
            return ""
        return ntr(
            "{count} answer of /ask and what stands around it, for an hour. Its buttons need that.",
            "{count} answers of /ask and what stands around them, for an hour. Their buttons need that.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._answers.export_of(person)

    async def forget(self, person: int) -> None:
        await self._answers.forget_owner(person)
