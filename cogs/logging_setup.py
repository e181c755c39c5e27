"""The log of the whole process: lines of text, or JSON objects for programs that collect logs.

set_up_logging("json", "info")
log.info("request ended", extra=fields({"id": "1f2e3d4c"}))
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

_OWN_PACKAGES = ("cogs", "inference", "preview", "starter", "storage")

_FIELDS = "fields"
"""The attribute of a log record that holds its fields."""


class _Handler(logging.StreamHandler[Any]):
    """Writes to stderr. Its own class, so that a second set-up replaces it and no line is written twice."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object in one line; its fields are keys, and a traceback is text."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Formats a record as a line of text; its fields follow the message as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        pairs = (f" {name}={_quoted(value)}" for name, value in getattr(record, _FIELDS, {}).items())
        return super().formatMessage(record) + "".join(pairs)


def set_up_logging(format: LogFormat = "text", level: LogLevel = "info") -> None:
    """Write the log of this process to stderr, in place of an earlier set-up.

    Libraries write no more than `info`: at `debug`, discord.py would write everything that people say.
    """
    handler = _Handler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    root, threshold = logging.getLogger(), logging.getLevelNamesMapping()[level.upper()]
    root.handlers[:] = [*(other for other in root.handlers if not isinstance(other, _Handler)), handler]
    root.setLevel(max(threshold, logging.INFO))
    for package in _OWN_PACKAGES:
        logging.getLogger(package).setLevel(threshold)
    # It warns of the intent for message content, which commands don't need here: people mention the bot.
    logging.getLogger("discord.ext.commands.bot").setLevel(logging.ERROR)


def fields(values: Mapping[str, object]) -> dict[str, object]:
    """Return the `extra` of a log call that adds fields to its line."""
    return {_FIELDS: values}


def _quoted(value: object) -> str:
    """Return a value as it is, or in quotation marks if a reader could not see where it ends."""
    text = str(value)
    return text if text.isprintable() and not set(text) & set(' "=') and text else json.dumps(text)
