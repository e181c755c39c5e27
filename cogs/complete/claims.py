"""One at a time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from inference import InvalidRequest


class Claims:
    """Which stories are being worked on."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    @contextmanager
    def claim(self, story_id: str) -> Generator[None]:
        """Nobody else has the story meanwhile; raises InvalidRequest if somebody has it already."""
        if story_id in self._taken:
            raise InvalidRequest("This text is still being written. Wait until it is done, or press Stop first.")
        self._taken.add(story_id)
        try:
            yield
        finally:
            self._taken.remove(story_id)
