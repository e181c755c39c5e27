"""The last failures with their tracebacks, taken from the log."""

from __future__ import annotations

import logging
import re
from collections import deque
from dataclasses import dataclass
from itertools import count

_MOST = 50

_FORMATTER = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


@dataclass(frozen=True, slots=True)
class Failure:
    """A line of the log about an error, the `number`th. `text` has the line and the traceback.

    `created` is in seconds since 1970.
    """

    number: int
    created: float
    message: str
    text: str


class FailureLog(logging.Handler):
    """A handler that keeps the last errors which have a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._failures: deque[Failure] = deque(maxlen=_MOST)
        self._numbers = count()

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._failures.append(
                Failure(next(self._numbers), record.created, record.getMessage(), _FORMATTER.format(record))
            )

    def latest(self) -> list[Failure]:
        """Return the failures, the newest first."""
        return list(reversed(self._failures))

    def find(self, request_id: str) -> Failure | None:
        """Return the newest failure whose line has this id, of a request or an error."""
        word = re.compile(rf"\b{re.escape(request_id)}\b")
        return next((failure for failure in self.latest() if word.search(failure.message)), None)
