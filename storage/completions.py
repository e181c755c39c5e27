"""The table of texts that users can still continue: the request and the generated text of each message."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from storage.completion_history import CompletionHistory
from storage.driver import Row
from storage.table import PRIVATE_SECONDS, ExpiringTable

_HISTORY = TypeAdapter(CompletionHistory)

_KEEP = "INSERT INTO completions (id, owner, channel, message, created, history, expires) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class StoredCompletion:
    """A text with its history, and the message that shows it: Discord's ids, and seconds since 1970."""

    id: str
    owner: int
    channel: int
    message: int
    created: float
    history: CompletionHistory


class CompletionTable(ExpiringTable):
    """Texts of /complete. Rows have the words of their owner and of the model, never of other people."""

    name = "completions"

    async def keep(
        self, owner: int, channel: int, message: int, history: CompletionHistory, *, private: bool = False
    ) -> StoredCompletion:
        """Store the history shown in `message` with a new id; for one day if it is `private`."""
        kept = StoredCompletion(secrets.token_urlsafe(6), owner, channel, message, time.time(), history)
        expires = kept.created + PRIVATE_SECONDS if private else None
        row = (kept.id, owner, channel, message, kept.created, _HISTORY.dump_json(history).decode(), expires)
        await self._database.transact(lambda connection: connection.execute(_KEEP, row))
        return kept

    async def get(self, completion_id: str) -> StoredCompletion | None:
        """Return a text; None if it was deleted."""
        return _first(await self._database.read("SELECT * FROM completions WHERE id = ?", (completion_id,)))

    async def shown_by(self, message: int) -> StoredCompletion | None:
        """Return the text shown in this message; None if it was deleted, or if the message shows something else."""
        return _first(await self._database.read("SELECT * FROM completions WHERE message = ?", (message,)))

    async def rewrite(self, completion_id: str, history: CompletionHistory) -> None:
        """Replace the history of a text. Does nothing if it was deleted."""
        query, values = (
            "UPDATE completions SET history = ? WHERE id = ?",
            (_HISTORY.dump_json(history).decode(), completion_id),
        )
        await self._database.transact(lambda connection: connection.execute(query, values))

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return all stored texts of this person, oldest first, as plain data."""
        rows = await self._database.read("SELECT * FROM completions WHERE owner = ? ORDER BY created", (owner,))
        completions = map(_stored_completion, rows)
        return [
            asdict(stored) | {"history": _HISTORY.dump_python(stored.history, mode="json")} for stored in completions
        ]


def _first(rows: Sequence[Row]) -> StoredCompletion | None:
    return _stored_completion(rows[0]) if rows else None


def _stored_completion(row: Row) -> StoredCompletion:
    history = _HISTORY.validate_json(row["history"])
    return StoredCompletion(row["id"], row["owner"], row["channel"], row["message"], row["created"], history)
