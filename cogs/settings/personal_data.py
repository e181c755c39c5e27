"""The settings that are kept of a person."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import tr
from storage import SettingsTables


class PersonalSettings(PersonalData):
    """What the person has chosen; settings of servers are nobody's."""

    name = "settings"

    def __init__(self, settings: SettingsTables) -> None:
        self._settings = settings

    async def describe(self, person: int) -> str:
        return tr("What you have chosen in /settings, until you reset it.")

    async def export(self, person: int) -> dict[str, Any]:
        return await self._settings.export_of(person)

    async def forget(self, person: int) -> None:
        await self._settings.forget_owner(person)
