"""Texts that people can still go on with: what was asked and what the model wrote, while their message is there."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import aiosqlite
from pydantic import TypeAdapter

from storage.story import Story
from storage.table import PRIVATE_SECONDS, Table

_STORY = TypeAdapter(Story)


@dataclass(frozen=True, slots=True)
class KeptStory:
    """A story, and the message that shows it: Discord's ids, and when it began, in seconds since 1970."""

    id: str
    owner: int
    channel: int
    message: int
    created: float
    story: Story


class Completions(Table):
    """The table. A row holds what its owner and the model wrote, and nobody else's words."""

    name = "completions"

    async def keep(self, owner: int, channel: int, message: int, story: Story, *, private: bool = False) -> KeptStory:
        """Keep what message `message` shows, for a day where it is `private`; the id is new."""
        kept = KeptStory(secrets.token_urlsafe(6), owner, channel, message, time.time(), story)
        expires = kept.created + PRIVATE_SECONDS if private else None
        async with self._store.writing() as connection:
            await connection.execute(
                "INSERT INTO completions (id, owner, channel, message, created, story, expires) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (kept.id, owner, channel, message, kept.created, _STORY.dump_json(story).decode(), expires),
            )
        return kept

    async def get(self, story_id: str) -> KeptStory | None:
        """None if it was forgotten."""
        return _first(await self._store.read("SELECT * FROM completions WHERE id = ?", (story_id,)))

    async def shown_by(self, message: int) -> KeptStory | None:
        """What this message shows; None if that was forgotten, or is something else."""
        return _first(await self._store.read("SELECT * FROM completions WHERE message = ?", (message,)))

    async def rewrite(self, story_id: str, story: Story) -> None:
        """The story is another one now; nothing happens if it was forgotten."""
        async with self._store.writing() as connection:
            await connection.execute(
                "UPDATE completions SET story = ? WHERE id = ?", (_STORY.dump_json(story).decode(), story_id)
            )

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """All that is kept for this person, oldest first, as plain data."""
        rows = await self._store.read("SELECT * FROM completions WHERE owner = ? ORDER BY created", (owner,))
        kept = map(_kept, rows)
        return [asdict(each) | {"story": _STORY.dump_python(each.story, mode="json")} for each in kept]


def _first(rows: list[aiosqlite.Row]) -> KeptStory | None:
    return _kept(rows[0]) if rows else None


def _kept(row: aiosqlite.Row) -> KeptStory:
    story = _STORY.validate_json(row["story"])
    return KeptStory(row["id"], row["owner"], row["channel"], row["message"], row["created"], story)
