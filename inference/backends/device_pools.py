"""Models that several devices can run: each request goes where it is expected to start first.

That is a device which has the model in memory, unless its queue is longer than it takes to load the model elsewhere. So
a busy model gets copies on other devices, which leave the memory when nobody has used them for a while. A request that
waits moves to a device that has become idle, and one whose device has gone is done by another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import inf

from inference.backends.backend import Backend, DeviceTicket, Listener, ModelStatus, QueueStatus
from inference.backends.pooled_job import PooledJob
from inference.config.schema import Config
from inference.limits import WHOLE_CLUSTER
from inference.tasks import Request
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import InferenceError, ModelUnavailable
from inference.types.observations import DeviceUsed, ModelLoaded, Observation

_SECONDS_OF_A_REQUEST = 1.0
"""What a request in a queue is taken to need as long as nothing is known about its kind."""
_SECONDS_TO_LOAD = 10.0
"""What loading a model is taken to need before it was loaded once."""
_COPY_IDLE = 300.0
"""The seconds after which a further copy that nobody has used leaves the memory."""
_PATIENCE = 300.0
"""The seconds for which requests wait for a device of their model while all are away."""
_SECONDS_TO_START = 120.0
"""The seconds after the start in which no request is refused because devices are full."""
_LOOK_PAUSE = 1.0
"""The seconds between two looks at the devices while requests wait."""
_IDLE_PAUSE = 30.0
"""The same while none waits."""


class DevicePools:
    """Implements `Backend` with another one, which runs each request on the device that its spec names."""

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._clock = clock
        self._jobs: dict[PooledJob, None] = {}
        """The requests that have not ended, in the order in which they came."""
        self._seconds_to_load: dict[str, float] = {}
        """How long it took to load each model, by its name."""
        self._began = clock()
        self._unable: dict[ModelSpec, float] = {}
        """Models on devices that could not run them, and when. For a while others are preferred."""
        self._used: dict[ModelSpec, float] = {}
        """When a request ended on each copy of a model with several devices."""
        self._away_since: dict[ModelSpec, float] = {}
        """Since when no device was there for a model that somebody asked for."""
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def observe(self, observation: Observation) -> None:
        """Learn from what happens on the devices. May be called on any thread."""
        if isinstance(observation, DeviceUsed):
            self._backend.charge(observation)
        if isinstance(observation, ModelLoaded):
            self._seconds_to_load[observation.model] = observation.seconds

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> DeviceTicket:
        queue = partial(self._schedule, request, request_id)
        job = PooledJob(spec, listener, queue, self._lost, self._place_elsewhere, self._ended)
        if not self._place(job):
            if job.refusal and not self._is_starting:
                raise job.refusal
            if self._is_given_up(spec):
                raise _away(spec)
            self._let_wait(job)
        self._jobs[job] = None
        if _is_pooled(spec):
            self._watch()
        return job

    def queues(self) -> list[QueueStatus]:
        without_device = sum(not job.placed for job in self._jobs)
        waiting = [QueueStatus("", without_device, 0, None)] if without_device else []
        return [*self._backend.queues(), *waiting]

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        present = self._present(spec)
        return self._backend.queue(present[0]) if present else None

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        known = [self._backend.expected_seconds(placed, request) for placed in self._backend.placements(spec)]
        return min((seconds for seconds in known if seconds is not None), default=None)

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        return self._backend.placements(spec)

    def loaded(self, spec: ModelSpec) -> bool:
        return any(self._backend.loaded(placed) for placed in self._backend.placements(spec))

    def answers_about_pictures(self, spec: ModelSpec) -> bool | None:
        answers = [self._backend.answers_about_pictures(placed) for placed in self._backend.placements(spec)]
        return next((answer for answer in answers if answer is not None), None)

    async def require_device(self, spec: ModelSpec) -> None:
        await self._backend.require_device(spec)

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        placements = {spec: self._backend.placements(spec) for spec in specs}
        placed = [placed for each in placements.values() for placed in each]
        by_spec = {status.spec: status for status in await self._backend.statuses(placed)}
        return [_together(spec, [by_spec[placed] for placed in placements[spec]]) for spec in specs]

    def problems(self) -> list[str]:
        return self._backend.problems()

    def device_problems(self, *, probe: bool = False) -> list[str]:
        return self._backend.device_problems(probe=probe)

    async def problems_of(self, config: Config) -> list[str]:
        return await self._backend.problems_of(config)

    def apply(self, config: Config) -> None:
        self._unable.clear()
        self._backend.apply(config)

    def pause(self, paused: bool) -> None:
        self._backend.pause(paused)

    def charge(self, use: DeviceUsed) -> None:
        self._backend.charge(use)

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        if not (present := self._present(spec)):
            raise _away(spec)
        await self._backend.load(present[0], on_progress)

    async def unload(self, spec: ModelSpec) -> bool:
        loaded = [placed for placed in self._backend.placements(spec) if self._backend.loaded(placed)]
        return any([await self._backend.unload(placed) for placed in loaded])

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        if not (placements := self._backend.placements(spec)):
            raise _away(spec)
        for placed in placements:
            await self._backend.download(placed, on_progress)

    async def forget_owner(self, owner: str) -> None:
        await self._backend.forget_owner(owner)

    async def close(self) -> None:
        if self._watching:
            self._watching.cancel()
        await self._backend.close()

    def _place(self, job: PooledJob) -> bool:
        """Schedule the job on the first device that takes it. Return False if all are away or full."""
        present = self._present(job.spec)
        able = [placed for placed in present if not self._is_unable(placed)] or present
        return any(job.place(placed) for placed in able)

    def _place_elsewhere(self, job: PooledJob, unable: ModelSpec) -> bool:
        """Note that a device can't run a model, such as without its files. Give the job to one that may."""
        self._unable[unable] = self._clock()
        able = any(not self._is_unable(placed) for placed in self._present(job.spec))
        return able and self._place(job)

    def _is_unable(self, placed: ModelSpec) -> bool:
        return self._unable.get(placed, -inf) + _PATIENCE > self._clock()

    def _schedule(self, request: Request, request_id: str, spec: ModelSpec, listener: Listener) -> DeviceTicket:
        return self._backend.schedule(spec, request, listener, request_id)

    def _present(self, spec: ModelSpec) -> list[ModelSpec]:
        """Return the model on each of its devices that is there, where it is expected to start first before others."""
        starts = {placed: self._expected_start(placed) for placed in self._backend.placements(spec)}
        present = [(start, placed) for placed, start in starts.items() if start is not None]
        if present:
            self._away_since.pop(spec, None)
        else:
            self._away_since.setdefault(spec, self._clock())
        return [placed for _, placed in sorted(present, key=lambda each: each[0])]

    @property
    def _is_starting(self) -> bool:
        """Whether further devices may join soon, for which what was accepted before a restart waits."""
        return self._clock() < self._began + _SECONDS_TO_START

    def _is_given_up(self, spec: ModelSpec) -> bool:
        """Return whether all devices of the model have been away for so long that nobody should wait for one."""
        return self._away_since.get(spec, inf) + _PATIENCE < self._clock()

    def _expected_start(self, placed: ModelSpec) -> float | None:
        """Return in how many seconds a new request would start there; None if the device is away."""
        queue = self._backend.queue(placed)
        if queue is None:
            return None
        wait = (queue.waiting + queue.running) * _SECONDS_OF_A_REQUEST if queue.eta is None else queue.eta
        return wait + (0.0 if self._backend.loaded(placed) else self._loading_seconds(placed))

    def _loading_seconds(self, spec: ModelSpec) -> float:
        return self._seconds_to_load.get(spec.name, _SECONDS_TO_LOAD)

    def _lost(self, job: PooledJob) -> None:
        """Give a job whose device has gone to another one, or let it wait until one is there."""
        if not self._place(job):
            self._let_wait(job)

    def _let_wait(self, job: PooledJob) -> None:
        position = 1 + sum(other.waits and not other.placed for other in self._jobs if other is not job)
        job.wait_for_device(position, is_away=not self._present(job.spec))
        self._watch()

    def _ended(self, job: PooledJob) -> None:
        self._jobs.pop(job, None)
        if _is_pooled(job.spec) and job.placed:
            self._used[job.placed] = self._clock()
        self._changed.set()

    def _watch(self) -> None:
        self._changed.set()
        if not self._watching:
            self._watching = asyncio.create_task(self._look_at_devices())

    async def _look_at_devices(self) -> None:
        """Move what waits, and unload copies, as long as there is something of either."""
        try:
            while self._jobs or self._used:
                self._changed.clear()
                waiting = [job for job in self._jobs if job.waits]
                for spec in dict.fromkeys(job.spec for job in waiting):
                    await self._look_at_waiting(spec, [job for job in waiting if job.spec == spec])
                await self._unload_idle_copies()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_PAUSE if waiting else _IDLE_PAUSE):
                        await self._changed.wait()
        finally:
            self._watching = None

    async def _look_at_waiting(self, spec: ModelSpec, jobs: list[PooledJob]) -> None:
        """Give jobs without a device to one, and move the first job that would start sooner on an idle device."""
        present = self._present(spec)
        for job in [job for job in jobs if not job.placed]:
            if present:
                self._place(job)
            elif self._is_given_up(spec):
                job.fail(_away(spec))
        starts = {placed: self._expected_start(placed) or 0.0 for placed in present}
        for idle in [placed for placed in present if self._is_idle(placed) and not self._is_unable(placed)]:
            for job in jobs:
                if job.placed and job.placed != idle and job.waits and starts.get(job.placed, 0.0) > starts[idle]:
                    await job.move(idle)
                    break

    def _is_idle(self, placed: ModelSpec) -> bool:
        queue = self._backend.queue(placed)
        return queue is not None and not queue.waiting and not queue.running

    async def _unload_idle_copies(self) -> None:
        """Unload what was not used for long, but the copy of each model that was used last."""
        for placed, used in sorted(self._used.items(), key=lambda each: each[1]):
            if used + _COPY_IDLE > self._clock():
                return
            others = [other for other in self._used if other != placed and _same_model(other, placed)]
            if not any(self._backend.loaded(other) for other in others):
                del self._used[placed]
            elif self._is_idle(placed):
                del self._used[placed]
                with suppress(InferenceError):  # its device has gone
                    await self._backend.unload(placed)


def _is_pooled(spec: ModelSpec) -> bool:
    return bool(spec.pool) or spec.device == WHOLE_CLUSTER


def _same_model(one: ModelSpec, other: ModelSpec) -> bool:
    return replace(one, device=other.device) == other


def _away(spec: ModelSpec) -> ModelUnavailable:
    return ModelUnavailable(
        "{name} can't run now: its device does not answer. Try again later, or ask the bot's operator to look at it.",
        name=spec.name,
    )


def _together(spec: ModelSpec, statuses: list[ModelStatus]) -> ModelStatus:
    """Return the state of a model on all of its devices: where it is loaded, or where it can run."""
    if not statuses:
        return ModelStatus(spec, "device away", 0, problem="No device for it is there.")
    best = min(statuses, key=lambda status: (status.state != "loaded", bool(status.problem)))
    return replace(best, spec=spec)
