"""A cache of answers for their buttons, in memory and for an hour; texts from people are not stored."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from inference import InvalidRequest, serializable

_SECONDS = 3600.0
_LIMIT = 1000
"""The most answers in the cache, about 10 kB each."""


@serializable
@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer to `owner`'s `question`: the `evidence` as it was shown, and the text `around` it, ready to show.

    `passages` are the parts of the text that match the question best, `note` is small print about the source.
    """

    owner: int
    question: str
    evidence: str
    around: str
    passages: str
    note: str


class AnswerCache(PersonalData):
    """The latest answers by key, for an hour or until a restart."""

    name = "answers"

    def __init__(self, seconds: float = _SECONDS, limit: int = _LIMIT) -> None:
        self._seconds = seconds
        self._limit = limit
        self._answers: dict[str, CachedAnswer] = {}

    def add(self, answer: CachedAnswer) -> str:
        """Store the answer and return its key."""
        key = secrets.token_urlsafe(6)
        self._answers[key] = answer
        asyncio.get_running_loop().call_later(self._seconds, self._drop, key)
        if len(self._answers) > self._limit:
            self._drop(next(iter(self._answers)))
        return key

    def get(self, key: str) -> CachedAnswer:
        """Return the answer with this key; raise InvalidRequest if there is none."""
        if key not in self._answers:
            raise InvalidRequest(
                "I no longer have the text of this answer. I keep texts in memory, for an hour or until I restart. "
                "Follow the link, if there is one, or ask again."
            )
        return self._answers[key]

    async def describe(self, person: int) -> str:
        count = len(await self.export(person))
        if not count:
            return ""
        return ntr(
            "{count} answer of /ask and what stands around it, in memory and for an hour. Its buttons need that.",
            "{count} answers of /ask and what stands around them, in memory and for an hour. Their buttons need that.",
            count,
            count=count,
        )

    async def export(self, person: int) -> list[dict[str, Any]]:
        return [asdict(answer) for answer in self._answers.values() if answer.owner == person]

    async def forget(self, person: int) -> None:
        for key in [key for key, answer in self._answers.items() if answer.owner == person]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        self._answers.pop(key, None)
