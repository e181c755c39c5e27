"""What cogs keep of people, so that /privacy can show it, hand it out and delete it without knowing the cogs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class PersonalPicture:
    """A picture that somebody handed in: a name of its own, its size in bytes, and how to read it."""

    name: str
    size: int
    read: Callable[[], Awaitable[bytes]]


class PersonalData(Protocol):
    """One kind of data about people, which its cog adds to `Inkling.personal_data`.

    `name` is its key in the file that people get.
    """

    name: ClassVar[str]

    async def describe(self, person: int) -> str:
        """Say how much is kept of this person, and what for: one line in the current language."""
        ...

    async def export(self, person: int) -> Any:
        """Return all that is kept of this person as plain data; dates as seconds since 1970."""
        ...

    async def pictures(self, person: int) -> Sequence[PersonalPicture]:
        """Return the pictures that belong to that data, which names them."""
        return ()

    async def forget(self, person: int) -> None:
        """Delete all of it."""
        ...
