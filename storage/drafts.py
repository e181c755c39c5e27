"""The table of drafts: questions with buttons and open forms, which wait for their person, also over a restart."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiosqlite

from storage.table import ExpiringTable

_COLUMNS = "id, owner, target, state"


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft without its work. `target` and `state` are JSON; a form has no target."""

    id: str
    owner: int
    target: str
    state: str


class DraftTable(ExpiringTable):
    """The drafts. They are in the file of the jobs, since a draft becomes jobs in one step."""

    name = "drafts"

    async def keep(
        self, owner: int, channel: int, message: int | None, expires: float, state: str, *, target: str, work: str
    ) -> str:
        """Store a draft until `expires`, in seconds since 1970, and return its id."""
        draft_id = secrets.token_urlsafe(6)
        async with self._database.writing() as connection:
            await connection.execute(
                "INSERT INTO drafts (id, owner, channel, message, created, target, state, work, expires) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (draft_id, owner, channel, message, time.time(), target, state, work, expires),
            )
        return draft_id

    async def get(self, draft_id: str) -> StoredDraft | None:
        """Return a draft; None if it is gone."""
        return _first(await self._database.read(f"SELECT {_COLUMNS} FROM drafts WHERE id = ?", (draft_id,)))

    async def work_of(self, draft_id: str) -> str:
        """Return the work of a draft; empty if it is gone."""
        rows = await self._database.read("SELECT work FROM drafts WHERE id = ?", (draft_id,))
        return rows[0]["work"] if rows else ""

    async def change(self, draft_id: str, change: Callable[[str], str]) -> StoredDraft | None:
        """Replace the state of a draft by what `change` makes of it. Return the draft; None if it is gone."""
        async with self._database.writing() as connection:
            rows = await connection.execute_fetchall(f"SELECT {_COLUMNS} FROM drafts WHERE id = ?", (draft_id,))
            draft = _first(list(rows))
            if draft is None:
                return None
            state = change(draft.state)
            await connection.execute("UPDATE drafts SET state = ? WHERE id = ?", (state, draft_id))
        return StoredDraft(draft.id, draft.owner, draft.target, state)

    async def expired(self, now: float) -> list[StoredDraft]:
        """Return the drafts that have expired at `now`, in seconds since 1970."""
        return list(map(_draft, await self._database.read(f"SELECT {_COLUMNS} FROM drafts WHERE expires < ?", (now,))))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the drafts of this person as plain data, without the tokens of Discord in `target`."""
        query = "SELECT id, channel, message, created, state, work, expires FROM drafts WHERE owner = ?"
        return [dict(row) for row in await self._database.read(query, (owner,))]


def _first(rows: list[aiosqlite.Row]) -> StoredDraft | None:
    return _draft(rows[0]) if rows else None


def _draft(row: aiosqlite.Row) -> StoredDraft:
    return StoredDraft(*row)
