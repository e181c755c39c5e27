"""A request that may be done by several devices, one after another until it has an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inference.backends.backend import DeviceTicket, Listener
from inference.types import Event, Loading, ModelSpec, Queued, Result
from inference.types.errors import DeviceLost, GenerationFailed, InferenceError, ModelUnavailable, Overloaded

_MOST_LOSSES = 3
"""A request whose device was lost so often may be the cause, and is not tried again."""


class PooledJob:
    """Implements `DeviceTicket`. `schedule` queues it on a device.

    `lost` is called when its device has gone, and `ended` at its end. `elsewhere` is called when its device can't run
    the model, and returns whether another one has taken it.
    """

    def __init__(
        self,
        spec: ModelSpec,
        listener: Listener,
        schedule: Callable[[ModelSpec, Listener], DeviceTicket],
        lost: Callable[[PooledJob], None],
        elsewhere: Callable[[PooledJob, ModelSpec], bool],
        ended: Callable[[PooledJob], None],
    ) -> None:
        self.spec = spec
        self.placed: ModelSpec | None = None
        """The model on the device that has the job; None if none has."""
        self.refusal: Overloaded | None = None
        """The last answer of a device whose queue was full."""
        self._listener = listener
        self._schedule = schedule
        self._lost = lost
        self._elsewhere = elsewhere
        self._end = ended
        self._ticket: DeviceTicket | None = None
        self._attempt = 0
        self._losses = 0
        self._waits = True
        self._has_ended = False

    @property
    def units(self) -> int:
        return self._ticket.units if self._ticket else 0

    @property
    def device(self) -> str:
        return self._ticket.device if self._ticket else ""

    @property
    def waits(self) -> bool:
        """Whether no device has begun with it."""
        return self._waits and not self._has_ended

    def place(self, placed: ModelSpec) -> bool:
        """Queue the job on a device. Return False if the queue there is full."""
        self._attempt += 1
        self._waits = True
        try:
            self._ticket = self._schedule(placed, partial(self._on_event, self._attempt))
        except Overloaded as error:
            self.refusal = error
            return False
        self.placed = placed
        return True

    def wait_for_device(self, position: int, *, is_away: bool) -> None:
        """Let the job wait, as number `position` of those that do, until a device is there, or one that is has room."""
        self.placed = self._ticket = None
        self._waits = True
        self._listener(Queued(position, device_is_away=is_away))

    async def move(self, placed: ModelSpec) -> None:
        """Move the job to another device, unless it has begun meanwhile."""
        assert self._ticket, "only a job with a device is moved"
        if await self._ticket.withdraw() and not self._has_ended and not self.place(placed):
            self._lost(self)

    def cancel(self) -> None:
        self._finish()
        if self._ticket:
            self._ticket.cancel()

    async def withdraw(self) -> bool:
        if self._has_ended or not self._ticket or not await self._ticket.withdraw():
            return False
        self._finish()
        return True

    def fail(self, error: InferenceError) -> None:
        self._on_event(self._attempt, error)

    def _on_event(self, attempt: int, event: Event | InferenceError) -> None:
        if attempt != self._attempt or self._has_ended:
            return
        if isinstance(event, DeviceLost):
            self._losses += not self._waits  # one that only waited there is not the reason
            if self._losses < _MOST_LOSSES:
                self._lost(self)
                return
        if isinstance(event, ModelUnavailable) and self.placed and self._elsewhere(self, self.placed):
            return
        if isinstance(event, DeviceLost):
            event = GenerationFailed(
                "The device that worked on this was lost {count} times. Try something smaller.", count=_MOST_LOSSES
            )
        self._waits = self._waits and isinstance(event, Queued | Loading)
        if isinstance(event, Result | InferenceError):
            self._finish()
        self._listener(event)

    def _finish(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._end(self)
