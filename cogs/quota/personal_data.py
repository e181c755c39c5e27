"""The computing time of a person that is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cogs.common.markdown import relative
from cogs.common.personal_data import PersonalData
from cogs.common.quotas import amount
from cogs.i18n import tr
from storage import DeviceUseTable, end_of_day


class PersonalUse(PersonalData):
    """How long models worked for the person today, by server."""

    name = "device_use"

    def __init__(self, use: DeviceUseTable, clock: Callable[[], float]) -> None:
        self._use = use
        self._clock = clock

    async def describe(self, person: int) -> str:
        now = self._clock()
        used = self._use.of_person(person, now)
        if not used:
            return ""
        return tr(
            "How long models have worked for you today, {used}, by server, for the quotas; it is deleted {time}, also "
            "if you delete the rest.",
            used=amount(used),
            time=relative(end_of_day(now)),
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._use.export_of(person)

    async def forget(self, person: int) -> None:
        await self._use.forget_owner(person, self._clock())
