"""A request inside a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from inference.backends.backend import Listener
from inference.scheduling.scheduler import Entry
from inference.tasks import Request
from inference.types import Event, ModelSpec, Output, Progress, Result
from inference.types.errors import InferenceError


class LocalJob(Entry):
    """Implements `Entry` for the queue, `Job` for a pipeline, and `Ticket` for the engine."""

    def __init__(
        self,
        spec: ModelSpec,
        request: Request,
        listener: Listener,
        loop: asyncio.AbstractEventLoop,
        request_id: str = "",
    ) -> None:
        super().__init__(
            owner=request.owner,
            group=request.group,
            key=(spec.key, request.batch_key),
            kind=kind_of(spec, request),
            short=request.short,
            work=request.work,
            limited=request.limited,
            starts_alone=request.starts_alone,
        )
        self.id = request_id
        self.spec = spec
        self.request = request
        self.device = ""
        self.units = 0
        self.finished = False
        self.position = 0
        """The last position in the queue that the caller was told; 0 if none."""
        self.leave_queue: Callable[[LocalJob], bool] | None = None
        """Takes the job out of its queue, and returns whether it was there."""
        self.on_cancel: Callable[[LocalJob], None] | None = None
        """Called if the job is cancelled after it has left the queue."""
        self._listener = listener
        self._loop = loop

    def emit(self, event: Event) -> None:
        if isinstance(event, Progress) and self.request.task in ("imagine", "edit"):
            self.units = event.step
        self._notify(event)

    def count_token(self) -> None:
        self.units += 1

    def finish(self, value: Output) -> None:
        self.charged = value.charged
        self._end(Result(value))

    def fail(self, error: InferenceError) -> None:
        self._end(error)

    def cancel(self) -> None:
        if self.finished:  # the scheduler still learns from it how long such work takes
            return
        self.cancelled = True
        if not self._leave_queue() and self.on_cancel:
            self.on_cancel(self)

    async def withdraw(self) -> bool:
        if self.finished or not self._leave_queue():
            return False
        self.cancelled = True
        return True

    def _leave_queue(self) -> bool:
        return self.leave_queue is not None and self.leave_queue(self)

    def _end(self, event: Result | InferenceError) -> None:
        if not self.finished:
            self.finished = True
            self._notify(event)

    def _notify(self, event: Event | InferenceError) -> None:
        """Call the listener on its event loop, unless the job is cancelled or the loop is closed."""
        if self.cancelled:
            return
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._listener, event)


def kind_of(spec: ModelSpec, request: Request) -> str:
    """Return the kind of the request's work: a unit of it takes about as long in all requests of one kind."""
    return f"{request.task} {spec.key}"
