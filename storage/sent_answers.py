"""The table of who asked for which message of the bot, and which model answered: a report names them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.table import ANSWER_SECONDS, PRIVATE_SECONDS, ExpiringTable, upsert

_KEEP = upsert("sent_answers", ("id", "owner", "channel", "message", "created", "task", "model", "expires"))


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """Who asked for a message of the bot, by Discord's id, and the task and name of the model that answered."""

    owner: int
    task: str
    model: str


class SentAnswerTable(ExpiringTable):
    """One short row for each answer, without its text. The id of a row is that of its message."""

    name = "sent_answers"

    async def keep(self, channel: int, message: int, answer: SentAnswer, *, private: bool = False) -> None:
        """Store who asked for `message` for 30 days; for one day if it is `private`."""
        created = time.time()
        expires = created + (PRIVATE_SECONDS if private else ANSWER_SECONDS)
        row = (message, answer.owner, channel, message, created, answer.task, answer.model, expires)
        await self._database.transact(lambda connection: connection.execute(_KEEP, row))

    async def first_of(self, messages: Sequence[int]) -> SentAnswer | None:
        """Return who asked for the first of `messages` of which that is known."""
        for message in messages:
            query = "SELECT owner, task, model FROM sent_answers WHERE id = ?"
            if rows := await self._database.read(query, (message,)):
                return SentAnswer(*rows[0])
        return None

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return the rows of this person, oldest first, as plain data."""
        query = (
            "SELECT channel, message, created, task, model, expires FROM sent_answers WHERE owner = ? ORDER BY created"
        )
        return [dict(row) for row in await self._database.read(query, (owner,))]
