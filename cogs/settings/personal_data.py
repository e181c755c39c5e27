"""The stored settings of a person."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import tr
from storage import PersonSettings, SettingsTables


class PersonalSettings(PersonalData):
    """The person's settings; those of servers belong to no person."""

    name = "settings"

    def __init__(self, settings: SettingsTables) -> None:
        self._settings = settings

    async def describe(self, person: int) -> str:
        if self._settings.person(person) == PersonSettings():
            return ""
        return tr("What you have chosen in /settings, until you reset it.")

    async def export(self, person: int) -> dict[str, Any]:
        return await self._settings.export_of(person)

    async def forget(self, person: int) -> None:
        await self._settings.forget_owner(person)
