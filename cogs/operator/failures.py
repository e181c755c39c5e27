"""The last failures with their tracebacks, taken from the log."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

_MOST = 50

_FORMATTER = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


@dataclass(frozen=True, slots=True)
class Failure:
    """A line of the log about an error. `text` has the line and the traceback, `created` is in seconds since 1970."""

    created: float
    message: str
    text: str


class FailureLog(logging.Handler):
    """A handler that keeps the last errors which have a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._failures: deque[Failure] = deque(maxlen=_MOST)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._failures.append(Failure(record.created, record.getMessage(), _FORMATTER.format(record)))

    def latest(self) -> list[Failure]:
        """Return the failures, the newest first."""
        return list(reversed(self._failures))

    def find(self, request_id: str) -> Failure | None:
        """Return the newest failure whose line has this id, of a request or an error."""
        return next((failure for failure in self.latest() if request_id in failure.message.split()), None)
