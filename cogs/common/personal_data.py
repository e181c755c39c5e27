"""The data that cogs store about people. /privacy shows, exports and deletes it without knowing the cogs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from cogs.common.reply_session import ReplySession
from cogs.common.reply_sessions import ReplySessions
from cogs.i18n import gettext_noop


@dataclass(frozen=True, slots=True)
class PersonalPicture:
    """A picture that somebody sent: a unique name, its size in bytes, and a function that reads it."""

    name: str
    size: int
    read: Callable[[], Awaitable[bytes]]


class PersonalData(Protocol):
    """One kind of data about people, which its cog adds to `Inkling.personal_data`.

    `name` is its key in the exported file.
    """

    name: ClassVar[str]

    async def describe(self, person: int) -> str:
        """Say how much is stored about this person, and why: one line in the current language, empty for nothing."""
        ...

    async def export(self, person: int) -> Any:
        """Return everything stored about this person as plain data; dates are seconds since 1970."""
        ...

    async def pictures(self, person: int) -> Sequence[PersonalPicture]:
        """Return the pictures that the exported data names."""
        return ()

    async def forget(self, person: int) -> None:
        """Delete all data of this person."""
        ...


class OwnedRows(Protocol):
    """A table whose rows belong to people."""

    async def count_of(self, owner: int) -> int: ...

    async def export_of(self, owner: int) -> list[dict[str, Any]]: ...

    async def forget_owner(self, owner: int) -> None: ...


class PersonalRows(PersonalData, ABC):
    """The rows of a person in one table."""

    def __init__(self, rows: OwnedRows) -> None:
        self._rows = rows

    @abstractmethod
    def sentence(self, count: int) -> str:
        """Say what `count` rows are, and why they are stored, in the current language."""

    async def describe(self, person: int) -> str:
        count = await self._rows.count_of(person)
        return self.sentence(count) if count else ""

    async def export(self, person: int) -> list[dict[str, Any]]:
        return await self._rows.export_of(person)

    async def forget(self, person: int) -> None:
        await self._rows.forget_owner(person)


async def forget_person(
    data: Iterable[PersonalData], sessions: ReplySessions, person: int, *, but: ReplySession | None = None
) -> None:
    """End what runs for this person in this process, except the session `but`, and delete everything."""
    # In this order: running requests must not store anything after the deletion.
    await sessions.end_of(person, gettext_noop("Cancelled, since you had everything deleted."), but=but)
    for each in data:
        await each.forget(person)
