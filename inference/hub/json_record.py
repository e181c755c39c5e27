"""Texts that outlive the process, by name, in one JSON file: the commits of downloaded models, and verdicts on them."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from inference.types.errors import ModelUnavailable


class JsonRecord:
    """Maps names to texts. Every call reads the file, so that a running bot sees what `download` has recorded."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def get(self, name: str) -> str | None:
        return self._read().get(name)

    def all(self) -> dict[str, str]:
        """Return all texts by their names."""
        return self._read()

    def record(self, name: str, value: str) -> None:
        """Keep `value` in the file, unless it is there already."""
        with self._lock:
            values = self._read()
            if values.get(name) == value:
                return
            write_atomically(self._file, json.dumps({**values, name: value}, indent=2, sort_keys=True))

    def _read(self) -> dict[str, str]:
        try:
            values: Any = json.loads(self._file.read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("not a JSON object")
            return values
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ModelUnavailable(
                "The file {file} in the bot's data folder is damaged. Its operator has to repair it, or delete it.",
                file=self._file.name,
            ) from error


def write_atomically(file: Path, text: str) -> None:
    """Write a file so that other processes see either the old or the new one. Raise OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary_file = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    temporary_file.write_text(text + "\n", encoding="utf-8")
    temporary_file.replace(file)
