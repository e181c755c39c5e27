"""What the buttons below an answer need, in memory and for an hour: texts that people hand in are not stored."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from cogs.common.personal_data import PersonalData
from cogs.i18n import ntr
from inference import InvalidRequest

_SECONDS = 3600.0
_MOST = 1000
"""Some 10 kB each."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer to `owner`'s `question`: the `evidence` as it was shown, the text `around` it as it will be shown.

    `passages` are the parts of the text that speak most of the question, `note` is small print about all of it.
    """

    owner: int
    question: str
    evidence: str
    around: str
    passages: str
    note: str


class AnswerCache(PersonalData):
    """The latest answers by a key of their own. A restart, like the hour, ends what is kept."""

    name = "answers"

    def __init__(self, seconds: float = _SECONDS, most: int = _MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._answers: dict[str, CachedAnswer] = {}

    def add(self, answer: CachedAnswer) -> str:
        """Keep the answer, and return its key."""
        key = secrets.token_urlsafe(6)
        self._answers[key] = answer
        asyncio.get_running_loop().call_later(self._seconds, self._drop, key)
        if len(self._answers) > self._most:
            self._drop(next(iter(self._answers)))
        return key

    def get(self, key: str) -> CachedAnswer:
        """Return what is kept under `key`; raise InvalidRequest where that is nothing."""
        if key not in self._answers:
            raise InvalidRequest(
                "I no longer have the text of this answer: texts are not stored, and forgotten after an hour or when "
                "I am restarted. Follow the link, if there is one, or ask again."
            )
        return self._answers[key]

    async def describe(self, person: int) -> str:
        count = len(await self.export(person))
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
