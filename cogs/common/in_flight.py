"""One at a time: a second press of a button, while the first is at work, is refused."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from inference import InvalidRequest


class InFlight:
    """What is being worked on, by keys; `taken` is the sentence for who comes second."""

    def __init__(self, taken: str) -> None:
        self._sentence = taken
        self._taken: set[str] = set()

    @contextmanager
    def claim(self, key: str) -> Generator[None]:
        """Nobody else has it meanwhile; raises InvalidRequest if somebody has it already."""
        if key in self._taken:
            raise InvalidRequest(self._sentence)
        self._taken.add(key)
        try:
            yield
        finally:
            self._taken.remove(key)
