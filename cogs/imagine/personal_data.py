"""The stored images of a person."""

from __future__ import annotations

from functools import partial
from typing import Any

from cogs.common.personal_data import PersonalData, PersonalPicture
from cogs.i18n import ntr
from storage import ImageTable


class PersonalImages(PersonalData):
    """The person's requests, and the pictures they sent for them."""

    name = "images"

    def __init__(self, images: ImageTable) -> None:
        self._images = images

    async def describe(self, person: int) -> str:
        count = await self._images.count_of(person)
        if not count:
            return ""
        return ntr(
            "{count} drawing: its prompt and settings, and the pictures you started from. Its buttons need that.",
            "{count} drawings: their prompts and settings, and the pictures you started from. Their buttons need that.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._images.export_of(person)

    async def pictures(self, person: int) -> list[PersonalPicture]:
        files = await self._images.files_of(person)
        return [PersonalPicture(name, size, partial(self._images.file, name)) for name, size in files]

    async def forget(self, person: int) -> None:
        await self._images.forget_owner(person)
