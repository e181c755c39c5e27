"""The observers of an engine and its backend, and the watch over one request for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Literal

from inference.tasks import CheckedRequest, Request
from inference.types import Event, Loading, PartialText, Queued, Result, Started
from inference.types.errors import InvalidRequest, OutputWithheld, Overloaded, RequestCancelled, RequestTimeout
from inference.types.observations import Observation, Observer, Outcome, RequestEnded

log = logging.getLogger(__name__)


class Observers:
    """Passes every observation to all observers, on the thread where it is made. An observer that raises is logged."""

    def __init__(self) -> None:
        self._observers: tuple[Observer, ...] = ()

    def add(self, observer: Observer) -> None:
        """Add an observer, once: one that is there already is not called twice."""
        if observer not in self._observers:
            self._observers = (*self._observers, observer)

    def __call__(self, observation: Observation) -> None:
        for observer in self._observers:
            try:
                observer(observation)
            except Exception:
                log.exception("an observer failed on %s", type(observation).__name__)


class RequestWatch:
    """Notes what happens to one request, and makes a `RequestEnded` of it."""

    def __init__(
        self, checked: CheckedRequest[Request], request_id: str, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._checked = checked
        self._id = request_id
        self._clock = clock
        self._began = clock()
        self._started: float | None = None
        self._first_output: float | None = None
        self._outcome: Outcome = "cancelled"
        self._error_id = ""

    def event(self, event: Event) -> None:
        """Note an event of the backend. A request whose device is lost waits and starts again."""
        if isinstance(event, Queued | Loading):
            self._started = None
        if isinstance(event, Started):
            self._started = self._clock()
        if isinstance(event, PartialText | Result) and self._first_output is None:
            self._first_output = self._clock() - self._began
        if isinstance(event, Result):
            self._outcome = "answered"

    def error(self, error: BaseException) -> None:
        """Note the error that ended the request. The end of the generator after its result is none."""
        if self._outcome != "answered":
            self._outcome = _outcome_of(error)
            self._error_id = getattr(error, "error_id", "") if self._outcome == "failed" else ""

    def ended(self, device: str, units: int) -> RequestEnded:
        """Return what is known of the request, which ends now, after `units` of work on `device`."""
        request, now = self._checked.request, self._clock()
        started = now if self._started is None else self._started
        return RequestEnded(
            id=self._id,
            task=request.task,
            model=self._checked.spec.name,
            device=device,
            owner=request.owner,
            group=request.group,
            outcome=self._outcome,
            waited=started - self._began,
            ran=now - started,
            first_output=self._first_output,
            units=units,
            unit=_unit(request.task, units),
            error_id=self._error_id,
        )


def _outcome_of(error: BaseException) -> Outcome:
    match error:
        case InvalidRequest() | Overloaded():
            return "refused"
        case OutputWithheld():
            return "withheld"
        case RequestTimeout():
            return "timed out"
        case RequestCancelled() | asyncio.CancelledError() | GeneratorExit():
            return "cancelled"
        case _:
            return "failed"


def _unit(task: str, units: int) -> Literal["tokens", "steps", ""]:
    if not units:
        return ""
    return "steps" if task in ("imagine", "edit") else "tokens"
