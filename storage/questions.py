"""The table of questions with buttons, which wait for their person, also over a restart."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from storage.driver import Row
from storage.table import ExpiringTable

_COLUMNS = "id, owner, target, state, picture"


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A question without its work. `target` and `state` are JSON; `picture` is what it shows, perhaps nothing."""

    id: str
    owner: int
    target: str
    state: str
    picture: bytes


class QuestionTable(ExpiringTable):
    """The open questions. They are in the file of the jobs, since a question becomes jobs in one step."""

    name = "questions"

    async def keep(
        self,
        owner: int,
        channel: int,
        message: int,
        expires: float,
        *,
        target: str,
        state: str,
        picture: bytes,
        work: str,
    ) -> str:
        """Store a question until `expires`, instead of an earlier one of its message, and return its id."""
        question_id = secrets.token_urlsafe(6)
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM questions WHERE message = ?", (message,))
            await connection.execute(
                "INSERT INTO questions (id, owner, channel, message, created, target, state, picture, work, expires) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (question_id, owner, channel, message, time.time(), target, state, picture, work, expires),
            )
        return question_id

    async def get(self, question_id: str) -> StoredQuestion | None:
        """Return a question; None if it is closed."""
        return _first(await self._database.read(f"SELECT {_COLUMNS} FROM questions WHERE id = ?", (question_id,)))

    async def work_of(self, question_id: str) -> str:
        """Return the work of a question; empty if it is closed."""
        rows = await self._database.read("SELECT work FROM questions WHERE id = ?", (question_id,))
        return rows[0]["work"] if rows else ""

    async def change(self, question_id: str, change: Callable[[str], str]) -> StoredQuestion | None:
        """Replace the state of a question by what `change` makes of it. Return the question; None if it is closed."""
        async with self._database.writing() as connection:
            rows = await connection.fetchall(f"SELECT {_COLUMNS} FROM questions WHERE id = ?", (question_id,))
            question = _first(rows)
            if question is None:
                return None
            question = replace(question, state=change(question.state))
            await connection.execute("UPDATE questions SET state = ? WHERE id = ?", (question.state, question_id))
        return question

    async def close(self, question_id: str) -> bool:
        """Delete a question. Return whether it was open."""
        async with self._database.writing() as connection:
            deleted = await connection.execute("DELETE FROM questions WHERE id = ?", (question_id,))
        return deleted.rowcount > 0

    async def expired(self, now: float) -> list[StoredQuestion]:
        """Return the questions that have expired at `now`, in seconds since 1970."""
        query = f"SELECT {_COLUMNS} FROM questions WHERE expires < ?"
        return list(map(_question, await self._database.read(query, (now,))))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the questions to this person as plain data, without pictures and the tokens of Discord in `target`."""
        query = "SELECT id, channel, message, created, state, work, expires FROM questions WHERE owner = ?"
        return [dict(row) for row in await self._database.read(query, (owner,))]


def _first(rows: Sequence[Row]) -> StoredQuestion | None:
    return _question(rows[0]) if rows else None


def _question(row: Row) -> StoredQuestion:
    return StoredQuestion(*row)
