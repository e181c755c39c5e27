"""A request inside a worker."""

from __future__ import annotations

import asyncio

from inference.backends.backend import Listener
from inference.scheduling.scheduler import Entry
from inference.tasks import Request
from inference.types import Event, ModelSpec, Output, Result
from inference.types.errors import InferenceError


class LocalJob(Entry):
    """Implements `Entry` for the queue, `Job` for a pipeline, and `Ticket` for the engine."""

    def __init__(self, spec: ModelSpec, request: Request, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            owner=request.owner,
            key=(spec.key, request.batch_key),
            kind=(spec.key, request.task),
            short=request.short,
            work=request.work,
        )
        self.spec = spec
        self.request = request
        self.finished = False
        self.position = 0
        self._listener = listener
        self._loop = loop

    def emit(self, event: Event) -> None:
        self._notify(event)

    def finish(self, value: Output) -> None:
        self.charged = value.charged
        self._end(Result(value))

    def fail(self, error: InferenceError) -> None:
        self._end(error)

    def cancel(self) -> None:
        self.cancelled = True

    def _end(self, event: Result | InferenceError) -> None:
        if not self.finished:
            self.finished = True
            self._notify(event)

    def _notify(self, event: Event | InferenceError) -> None:
        """Call the listener on its event loop, unless the job is cancelled or the loop is closed."""
        if not self.cancelled and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._listener, event)
