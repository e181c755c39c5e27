"""A semaphore that counts bytes, for work that must not take too much memory at one time."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager


class ByteSemaphore:
    """A number of bytes that all threads share. Whoever finds too few waits until others end."""

    def __init__(self, nbytes: int) -> None:
        self._nbytes = self._free = nbytes
        self._changed = threading.Condition()

    @contextmanager
    def acquired(self, nbytes: int) -> Generator[None]:
        """Take some of the bytes, or all of them for work that needs more than there are."""
        nbytes = min(nbytes, self._nbytes)
        with self._changed:
            self._changed.wait_for(lambda: nbytes <= self._free)
            self._free -= nbytes
        try:
            yield
        finally:
            with self._changed:
                self._free += nbytes
                self._changed.notify_all()
