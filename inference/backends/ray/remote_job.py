"""A request on a device of a cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from inference.backends.backend import Listener
from inference.backends.ray.messages import Ended
from inference.serialization import from_json
from inference.tasks import Request
from inference.types import Event, ModelSpec, Progress
from inference.types.errors import DeviceLost, GenerationFailed, InferenceError

log = logging.getLogger(__name__)


class RemoteJob:
    """Implements `DeviceTicket`. `on_frame` takes the frames of its call, on another thread than the rest.

    `call_device` calls a method of the device's actor about this job; `end` is called once, when it has ended.
    """

    def __init__(
        self,
        spec: ModelSpec,
        request: Request,
        listener: Listener,
        call_device: Callable[[RemoteJob, str], Future[Any]],
        end: Callable[[RemoteJob], None],
    ) -> None:
        self.spec = spec
        self.request = request
        self.device = spec.device
        self.call = ""
        """The id of its call, once it has one."""
        self.units = 0
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._call_device = call_device
        self._end = end
        self._cancelled = False
        self._has_ended = False

    def cancel(self) -> None:
        if not (self._cancelled or self._has_ended):
            self._cancelled = True
            self._call_device(self, "cancel")

    async def withdraw(self) -> bool:
        try:
            withdrawn = bool(await asyncio.wrap_future(self._call_device(self, "withdraw")))
        except InferenceError:
            return False  # it is lost, which its listener hears
        self._cancelled = self._cancelled or withdrawn
        return withdrawn

    def on_frame(self, frame: dict[str, Any]) -> bool:
        """Pass the events of a frame on, and return whether the call has ended."""
        match frame:
            case {"events": str(text)}:
                events: list[Any] = list(from_json(text, tuple))
                if ended := isinstance(events[-1], Ended):
                    self.units = events.pop().units
                for event in events:
                    self._notify(event)
            case {"failed": str(failure)}:
                error = GenerationFailed("The model failed. Try again, or ask the bot's operator to look at the log.")
                log.error("error %s: on %s: %s", error.error_id, self.device, failure)
                ended = True
                self._notify(error)
            case _:
                ended = True
                self._notify(DeviceLost("The device {device} has gone.", device=self.device))
        if ended:
            self._has_ended = True
            self._end(self)
        return ended

    def fail(self, error: InferenceError) -> None:
        self._notify(error)

    def _notify(self, event: Event | InferenceError) -> None:
        if isinstance(event, Progress) and self.request.task in ("imagine", "edit"):
            self.units = event.step
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._on_event, event)

    def _on_event(self, event: Event | InferenceError) -> None:
        if not self._cancelled:
            self._listener(event)
