"""What the buttons below an answer need, in memory and for an hour: texts that people hand in are not stored."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from inference import InvalidRequest

_SECONDS = 3600.0
_MOST = 1000
"""Some 10 kB each."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer to `owner`'s `question`: the `evidence` as it was shown, the text `around` it as it will be shown.

    `passages` are the stretches of the text that speak most of the question, `note` is small print about all of it.
    """

    owner: int
    question: str
    evidence: str
    around: str
    passages: str
    note: str


class AnswerCache:
    """The latest answers by a key of their own. A restart, like the hour, ends what is kept."""

    def __init__(self, seconds: float = _SECONDS, most: int = _MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: dict[str, CachedAnswer] = {}

    def keep(self, kept: CachedAnswer) -> str:
        """Its key."""
        key = secrets.token_urlsafe(6)
        self._kept[key] = kept
        asyncio.get_running_loop().call_later(self._seconds, self._drop, key)
        if len(self._kept) > self._most:
            self._drop(next(iter(self._kept)))
        return key

    def owned(self, key: str, person: int) -> CachedAnswer:
        """What is kept under `key`, if it is theirs; raises InvalidRequest."""
        kept = self._kept.get(key)
        if kept is None:
            raise InvalidRequest(
                "I no longer have the text of this answer: texts are not stored, and forgotten after an hour or when "
                "I am restarted. Follow the link, if there is one, or ask again."
            )
        if kept.owner != person:
            raise InvalidRequest("Only the person who asked can use these buttons. Ask your own question with /ask.")
        return kept

    def forget(self, owner: int) -> None:
        """Nothing of what this person asked remains."""
        for key in [key for key, kept in self._kept.items() if kept.owner == owner]:
            self._drop(key)

    def export_of(self, owner: int) -> list[dict[str, Any]]:
        """All that is kept for this person, as plain data."""
        return [asdict(kept) for kept in self._kept.values() if kept.owner == owner]

    def _drop(self, key: str) -> None:
        self._kept.pop(key, None)
