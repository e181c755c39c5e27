"""Texts that people can still go on with: what was asked and what the model wrote, while their message is there."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import aiosqlite
from pydantic import TypeAdapter

from storage.table import PRIVATE_SECONDS, Table
from storage.text_thread import TextThread

_THREAD = TypeAdapter(TextThread)


@dataclass(frozen=True, slots=True)
class StoredThread:
    """A story, and the message that shows it: Discord's ids, and when it began, in seconds since 1970."""

    id: str
    owner: int
    channel: int
    message: int
    created: float
    thread: TextThread


class TextThreadTable(Table):
    """The table. A row holds what its owner and the model wrote, and nobody else's words."""

    name = "text_threads"

    async def keep(
        self, owner: int, channel: int, message: int, thread: TextThread, *, private: bool = False
    ) -> StoredThread:
        """Keep what message `message` shows, for a day where it is `private`; the id is new."""
        kept = StoredThread(secrets.token_urlsafe(6), owner, channel, message, time.time(), thread)
        expires = kept.created + PRIVATE_SECONDS if private else None
        async with self._database.writing() as connection:
            await connection.execute(
                "INSERT INTO text_threads (id, owner, channel, message, created, thread, expires) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (kept.id, owner, channel, message, kept.created, _THREAD.dump_json(thread).decode(), expires),
            )
        return kept

    async def get(self, thread_id: str) -> StoredThread | None:
        """None if it was forgotten."""
        return _first(await self._database.read("SELECT * FROM text_threads WHERE id = ?", (thread_id,)))

    async def shown_by(self, message: int) -> StoredThread | None:
        """What this message shows; None if that was forgotten, or is something else."""
        return _first(await self._database.read("SELECT * FROM text_threads WHERE message = ?", (message,)))

    async def rewrite(self, thread_id: str, thread: TextThread) -> None:
        """The story is another one now; nothing happens if it was forgotten."""
        async with self._database.writing() as connection:
            await connection.execute(
                "UPDATE text_threads SET thread = ? WHERE id = ?", (_THREAD.dump_json(thread).decode(), thread_id)
            )

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """All that is kept for this person, oldest first, as plain data."""
        rows = await self._database.read("SELECT * FROM text_threads WHERE owner = ? ORDER BY created", (owner,))
        kept = map(_kept, rows)
        return [asdict(each) | {"thread": _THREAD.dump_python(each.thread, mode="json")} for each in kept]


def _first(rows: list[aiosqlite.Row]) -> StoredThread | None:
    return _kept(rows[0]) if rows else None


def _kept(row: aiosqlite.Row) -> StoredThread:
    thread = _THREAD.validate_json(row["thread"])
    return StoredThread(row["id"], row["owner"], row["channel"], row["message"], row["created"], thread)
