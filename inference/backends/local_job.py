"""A request on its way through a worker."""

from __future__ import annotations

import asyncio

from inference.backends.backend import Listener
from inference.scheduling.scheduler import Entry
from inference.tasks import ImageResult, Request
from inference.types import Event, ModelSpec, Output, Result
from inference.types.errors import InferenceError


class LocalJob(Entry):
    """`Entry` for the queue, `Job` for a pipeline, `Ticket` for the engine."""

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
        self._post(event)

    def finish(self, value: Output) -> None:
        if isinstance(value, ImageResult):  # what is held back is not charged
            self.charged = sum(bool(picture.png) for picture in value.pictures) / len(value.pictures)
        self._end(Result(value))

    def fail(self, error: InferenceError) -> None:
        self._end(error)

    def cancel(self) -> None:
        self.cancelled = True

    def _end(self, last: Result | InferenceError) -> None:
        if not self.finished:
            self.finished = True
            self._post(last)

    def _post(self, event: Event | InferenceError) -> None:
        """Nobody listens to a cancelled job, and a caller whose loop has closed is gone too."""
        if not self.cancelled and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._listener, event)
