"""What is kept of people so that answers can be reported, and people blocked."""

from __future__ import annotations

from typing import Any

from cogs.common.markdown import relative
from cogs.common.personal_data import PersonalData, PersonalRows
from cogs.common.target import now
from cogs.i18n import ntr, tr
from storage import BlockTable, ReportTable


class PersonalSentAnswers(PersonalRows):
    """Which answers the person asked for, without their texts."""

    name = "sent_answers"

    def sentence(self, count: int) -> str:
        return ntr(
            "That {count} answer was for you, and by which model, for 30 days. A report of the answer says it.",
            "That {count} answers were for you, and by which models, for 30 days. A report of an answer says it.",
            count,
            count=count,
        )


class PersonalReports(PersonalRows):
    """Which messages the person has reported, without the reasons, which are in Discord only."""

    name = "reports"

    def __init__(self, reports: ReportTable) -> None:
        super().__init__(reports)
        self._reports = reports

    def sentence(self, count: int) -> str:
        return ntr(
            "That you reported {count} message, for 30 days, or one hour after you delete this. Nobody can report a "
            "message twice, or many in an hour.",
            "That you reported {count} messages, for 30 days, or one hour after you delete this. Nobody can report a "
            "message twice, or many in an hour.",
            count,
            count=count,
        )

    async def forget(self, person: int) -> None:
        await self._reports.forget_reporter(person, now())


class PersonalBlocks(PersonalData):
    """Where the person is blocked, which they can't delete, and whom they have blocked."""

    name = "blocks"

    def __init__(self, blocks: BlockTable) -> None:
        self._blocks = blocks

    async def describe(self, person: int) -> str:
        lines = [
            tr("That you are blocked, until it ends {when}; you can't delete this.", when=relative(block.until))
            if block.until
            else tr("That you are blocked for good, until somebody unblocks you; you can't delete this.")
            for block in self._blocks.of(person)
        ]
        if count := self._blocks.count_by(person):
            lines.append(
                ntr(
                    "That you have blocked {count} person or server.",
                    "That you have blocked {count} people or servers.",
                    count,
                    count=count,
                )
            )
        return "\n- ".join(lines)

    async def export(self, person: int) -> list[dict[str, Any]]:
        return self._blocks.export_of(person)

    async def forget(self, person: int) -> None:
        await self._blocks.forget_author(person)
