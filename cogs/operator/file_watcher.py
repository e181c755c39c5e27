"""Notices that a file has changed. It waits on a thread of its own, so the event loop does no work for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

_PAUSE = 2.0
"""Seconds between two looks at the file."""


class FileWatcher:
    """Calls `changed` after the file was written, on the watcher's thread."""

    def __init__(self, path: Path, changed: Callable[[], None], pause: float = _PAUSE) -> None:
        self._path = path
        self._changed = changed
        self._pause = pause
        self._known = self._state()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="config-watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Look at the file now."""
        state = self._state()
        if state and state != self._known:  # an editor may have removed it for a moment
            self._known = state
            self._changed()

    def _watch(self) -> None:
        while not self._stopped.wait(self._pause):
            self.look()

    def _state(self) -> tuple[int, int] | None:
        """Return what changes when the file is written; None if there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
