"""The commits of downloaded models, in one JSON file, similar to a lock file for packages."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from inference.types.errors import ModelUnavailable


class Commits:
    """Maps a repository (`org/name`, or `org/name@revision`) to its downloaded commit.

    Every call reads the file, so that a running bot sees what `download` has recorded.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def get(self, repo: str) -> str | None:
        return self._read().get(repo)

    def record(self, repo: str, commit: str) -> None:
        """Write the file atomically: other processes see either the old or the new file."""
        with self._lock:
            commits = self._read()
            if commits.get(repo) == commit:
                return
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary_file = self._file.with_suffix(f".{os.getpid()}.tmp")
            temporary_file.write_text(
                json.dumps({**commits, repo: commit}, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
            temporary_file.replace(self._file)

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
