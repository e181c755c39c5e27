"""The table of answers of /ask, which their buttons need."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from inference import from_json, serializable, to_json
from storage.driver import Statements
from storage.table import ExpiringTable

_KEEP = "INSERT INTO answers (id, owner, channel, message, created, answer, expires) VALUES (?, ?, ?, ?, ?, ?, ?)"


@serializable
@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer to `owner`'s `question`: the `evidence` as it was shown, and the text `around` it, ready to show.

    `passages` are the parts of the text that match the question best, `note` is small print about the source.
    """

    owner: int
    question: str
    evidence: str
    around: str
    passages: str
    note: str


class AnswerTable(ExpiringTable):
    """The answers of the last hour or so, about 10 kB each."""

    name = "answers"

    async def keep(self, channel: int, message: int, expires: float, answer: StoredAnswer) -> str:
        """Store the answer that `message` shows until `expires`, instead of an earlier one, and return its id."""
        answer_id = secrets.token_urlsafe(6)
        row = (answer_id, answer.owner, channel, message, time.time(), to_json(answer), expires)

        def replace(connection: Statements) -> None:
            connection.execute("DELETE FROM answers WHERE message = ?", (message,))
            connection.execute(_KEEP, row)

        await self._database.transact(replace)
        return answer_id

    async def get(self, answer_id: str, now: float) -> StoredAnswer | None:
        """Return an answer; None if it was deleted or has expired at `now`, in seconds since 1970."""
        query = "SELECT answer FROM answers WHERE id = ? AND expires > ?"
        rows = await self._database.read(query, (answer_id, now))
        return from_json(rows[0]["answer"], StoredAnswer) if rows else None

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the answers to this person, oldest first, as plain data."""
        rows = await self._database.read("SELECT * FROM answers WHERE owner = ? ORDER BY created", (owner,))
        return [dict(row) | {"answer": json.loads(row["answer"])} for row in rows]
