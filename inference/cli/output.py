"""Output that every terminal and every file takes, whatever letters its encoding has."""

from __future__ import annotations

import codecs
import io
import json
import sys
from typing import Any


def escape_unprintable() -> None:
    """Let stdout and stderr write letters that their encoding lacks as escapes, such as `\\u2026`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(fields: dict[str, Any]) -> None:
    """Print one JSON object. Where stdout lacks letters, all that are not ASCII are written as JSON's own escapes."""
    print(json.dumps(fields, ensure_ascii=not _takes_all_letters(sys.stdout.encoding)))


def _takes_all_letters(encoding: str | None) -> bool:
    """Return whether an encoding is UTF-8 or the like; None is that of a stream in memory."""
    return encoding is None or codecs.lookup(encoding).name.startswith("utf")
