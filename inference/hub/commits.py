"""The commit of each downloaded model, in one JSON file: what a lock file is to packages."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from inference.types.errors import ModelUnavailable


class Commits:
    """Maps a repository (`org/name`, or `org/name@revision`) to the commit that was downloaded.

    Every call reads the file, so that a running bot sees what `download` recorded beside it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def get(self, repo: str) -> str | None:
        return self._read().get(repo)

    def record(self, repo: str, commit: str) -> None:
        """Write atomically: another process sees the old file or the new one, never half of one."""
        with self._lock:
            commits = self._read()
            if commits.get(repo) == commit:
                return
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(f".{os.getpid()}.tmp")
            draft.write_text(json.dumps({**commits, repo: commit}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            draft.replace(self._file)

    def _read(self) -> dict[str, str]:
        try:
            return json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ModelUnavailable(
                "The bot's record of downloads is damaged. Its operator has to repair {file}, or delete it.",
                file=self._file.name,
            ) from error
