"""The requests of a person that have not ended, and what the queue remembers of their use."""

from __future__ import annotations

from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from inference import Engine
from storage import OpenedFormTable, Store


class OpenedForms(PersonalData):
    """The messages on whose menus the person has forms open."""

    name = "opened_forms"

    def __init__(self, forms: OpenedFormTable) -> None:
        self._forms = forms

    async def describe(self, person: int) -> str:
        count = await self._forms.count_of(person)
        if not count:
            return ""
        return ntr(
            "{count} message on whose menu you opened a form, for a quarter of an hour.",
            "{count} messages on whose menus you opened forms, for a quarter of an hour.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._forms.export_of(person)

    async def forget(self, person: int) -> None:
        await self._forms.forget_owner(person)


class OpenRequests(PersonalData):
    """The requests that go on after a restart, and the questions that wait for the person."""

    name = "open_requests"

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine

    async def describe(self, person: int) -> str:
        count = await self._store.jobs.count_of(person) + await self._store.questions.count_of(person)
        if not count:
            return ""
        return ntr(
            "{count} request that has not ended, with what you gave for it, so that it goes on after a restart.",
            "{count} requests that have not ended, with what you gave for them, so that they go on after a restart.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return [*await self._store.jobs.export_of(person), *await self._store.questions.export_of(person)]

    async def forget(self, person: int) -> None:
        await self._store.jobs.forget_owner(person)
        await self._store.questions.forget_owner(person)
        await self._store.job_database.compact()
        await self._engine.forget_owner(str(person))
