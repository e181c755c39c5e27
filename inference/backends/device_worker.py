"""A device with its single thread: takes batches from the queue, leases their model and runs them.

Models, fast tokenizers and diffusers pipelines are not thread-safe, so all of them are used on this thread only. A long
batch calls `yield_point()` between steps. Waiting short requests run there, on the same thread. Errors of requests
never end the thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from inference.backends.backend import QueueStatus
from inference.backends.local_batch import LocalBatch
from inference.backends.local_job import LocalJob, kind_of
from inference.backends.model_manager import ModelManager
from inference.backends.queue_positions import QueuePositions
from inference.config.schema import Config
from inference.limits import Limits
from inference.pipelines.pipeline import REQUESTS_AT_WORK, out_of_memory
from inference.scheduling.scheduler import Scheduler, SchedulerState
from inference.tasks import Request
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import GenerationFailed, InferenceError, RequestCancelled
from inference.types.observations import BatchEnded, DeviceUsed, Observer

if TYPE_CHECKING:
    from inference.pipelines.pipeline import Pipeline

log = logging.getLogger(__name__)

_KEEP_PAUSE = 30.0
"""The least time in seconds between two writes of what the scheduler has learned."""


class DeviceWorker:
    """The queue, the loaded models and the thread of one device.

    The scheduler starts with `state`. What it has learned since is passed to `keep`, at times and when the worker
    closes, and not on the event loop.
    """

    def __init__(
        self,
        device: str,
        limits: Limits,
        models: ModelManager,
        state: SchedulerState | None = None,
        keep: Callable[[Callable[[], SchedulerState]], None] = lambda _: None,
        observe: Observer = lambda _: None,
    ) -> None:
        self.device = device
        self._observe = observe
        self._limits = limits
        self._models = models
        self._scheduler = Scheduler[LocalJob](
            limit=limits.queue, per_owner=limits.per_person, clock=time.perf_counter, state=state
        )
        self._keep = keep
        self._keep_at = 0.0
        """When the state may be kept again, by the monotonic clock."""
        self._learned = False
        """Whether the scheduler has learned something that is not kept yet."""
        self._lock = threading.Lock()
        self._positions = QueuePositions(self._scheduler, self._lock, f"positions-{device}")
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"device-{device}")
        self._closing = False
        self._unloading = threading.Timer(0, lambda: None)
        """Waits until a model is due that nobody has used for long."""
        self._depth = 0
        """Running batches, each inside the one before it."""

    def submit(self, job: LocalJob) -> None:
        """Queue a job that is not cancelled. Raise Overloaded if the queue is full.

        Each job adds one run, so that none is left over.
        """
        with self._lock:
            if self._closing:
                raise RequestCancelled("The bot is stopping.")
            self._scheduler.add(job)
            job.device = self.device
            job.leave_queue = self._take_out
            self._executor.submit(self._run_next).add_done_callback(_log_unexpected_error)
            if self._scheduler.running:
                self._positions.tell(job)
        self._positions.changed()

    def check(self, spec: ModelSpec, config: Config, *, probe: bool) -> None:
        """Raise ModelUnavailable if this machine can never run `spec` within `config`. Blocks.

        With `probe`, load it on the device's thread to find out.
        """
        if probe:
            self._executor.submit(self._models.check, spec, config, probe=True).result()
        else:
            self._models.check(spec, config, probe=False)

    def load(self, spec: ModelSpec, on_progress: LoadProgress) -> Future[None]:
        """Load a model when the device's thread is free. The future raises ModelUnavailable."""
        return self._executor.submit(self._then_unload_unused, lambda: self._models.load(spec, on_progress))

    def unload(self, spec: ModelSpec) -> Future[bool]:
        """Unload a model when the device's thread is free. The future has False if it was not loaded."""
        return self._executor.submit(self._models.unload, spec)

    def apply(self, config: Config) -> None:
        """Use these limits from now on, and these models when the device's thread is free."""
        with self._lock:
            self._limits = config.limits
            self._scheduler.limit, self._scheduler.per_owner = config.limits.queue, config.limits.per_person
        self._executor.submit(self._then_unload_unused, lambda: self._models.apply(config)).add_done_callback(
            _log_unexpected_error
        )

    def pause(self, paused: bool) -> None:
        """Start nothing more but checks, which running requests wait for; or go on with what waits."""
        with self._lock:
            self._scheduler.paused = paused
            for _ in range(0 if paused else self._scheduler.waiting_count):  # their runs found nothing meanwhile
                self._executor.submit(self._run_next).add_done_callback(_log_unexpected_error)
        self._positions.changed()

    def loaded_bytes(self, spec: ModelSpec) -> int | None:
        return self._models.loaded_bytes(spec)

    def chosen_options(self, spec: ModelSpec) -> str:
        return self._models.chosen_options(spec)

    def status(self) -> QueueStatus:
        with self._lock:
            scheduler = self._scheduler
            counts, eta = (scheduler.waiting_count, len(scheduler.running)), scheduler.backlog()
        return QueueStatus(self.device, *counts, eta, self._models.loaded(), self._models.budget)

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        """Return how long the device is expected to work on the request; None if that is not known."""
        with self._lock:
            return self._scheduler.expected(kind_of(spec, request), request.work)

    def seconds_per_work(self) -> dict[str, float]:
        """Return the seconds that a unit of work takes, by kind, as far as it was learned."""
        with self._lock:
            return self._scheduler.seconds_per_work

    def charge(self, use: DeviceUsed) -> None:
        """Count the use of another device against its owner."""
        with self._lock:
            self._scheduler.charge(use.owner, use.group, use.seconds)

    def forget_owner(self, owner: str) -> None:
        """Forget how much `owner` used the device."""
        with self._lock:
            self._scheduler.forget(owner)
        self._positions.changed()

    def close(self) -> None:
        """Cancel all jobs, and wait until the thread has reached its next yield point."""
        with self._lock:
            self._closing = True
            remaining = [*self._scheduler.waiting, *self._scheduler.running]
        self._unloading.cancel()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._positions.close()
        _fail(remaining, RequestCancelled("The bot is stopping."))
        if self._learned:
            self._keep(self._state)

    def next_short(self) -> list[LocalJob]:
        """Return waiting short jobs of one kind whose model is loaded, or fits beside the models in use."""
        with self._lock:
            jobs = self._scheduler.next_short()
        ready = {job.key for job in jobs if self._models.fits(job.spec)}  # may read the disk: not under the lock
        with self._lock:
            return self._scheduler.pop_short(self._limits.batch, ready) if ready else []

    def join(self, jobs: Sequence[LocalJob], max_count: int) -> list[LocalJob]:
        with self._lock:
            return self._scheduler.join(jobs[0].key, max_count) if max_count > 0 else []

    def free_memory(self) -> None:
        self._models.release_memory()

    def reserve(self, batch: LocalBatch, nbytes: int) -> bool:
        return self._models.reserve(id(batch), nbytes)

    def put_off(self, job: LocalJob) -> bool:
        if self._depth < 2:
            return False
        with self._lock:
            job.short = False  # or it would start again at the next yield point
            self._scheduler.put_back(job)
            self._executor.submit(self._run_next).add_done_callback(_log_unexpected_error)
            job.position = 0
            if job.cancelled:  # while it ran, so that it was not removed from the queue
                self._scheduler.cancel(job)
            else:
                self._positions.tell(job)
        self._positions.changed()
        return True

    @property
    def closing(self) -> bool:
        return self._closing

    def run(self, jobs: list[LocalJob]) -> None:
        """Run one batch. Afterwards every job in it is finished, failed or cancelled."""
        batch = LocalBatch(self, jobs)
        self._depth += 1
        at_work = REQUESTS_AT_WORK.set(lambda: [job.id for job in batch.jobs])
        try:
            with self._models.lease(jobs[0].spec, batch.loading) as pipeline:
                batch.started()
                started = time.perf_counter()
                self._run_with(pipeline, batch)
            self._observe_batch(batch, time.perf_counter() - started)
            _fail_unfinished(batch.unfinished())
        except InferenceError as error:
            _fail(batch.unfinished(), error)
        finally:
            REQUESTS_AT_WORK.reset(at_work)
            self._depth -= 1
            self.release(batch.jobs)
            self.reserve(batch, 0)

    def release(self, jobs: Sequence[LocalJob]) -> None:
        """Free the queue places of ended jobs, and tell waiting jobs their new positions."""
        with self._lock:
            ended = [job for job in jobs if self._scheduler.done(job)]
            self._positions.tell_next()
        self._positions.changed()
        for job in ended:
            self._observe(DeviceUsed(self.device, job.owner, job.group, job.used * job.charged))
        self._learned = True
        if time.monotonic() >= self._keep_at:
            self._keep(self._state)
            self._keep_at, self._learned = time.monotonic() + _KEEP_PAUSE, False

    def _run_next(self) -> None:
        with self._lock:
            jobs = [] if self._closing else self._scheduler.pop(self._limits.batch)
            self._positions.tell_next()
        if jobs:
            self._positions.changed()
            self._then_unload_unused(lambda: self.run(jobs))

    def _then_unload_unused(self, work: Callable[[], None]) -> None:
        """Do `work`, unload what nobody has used for long, and come back when the next model is due."""
        try:
            work()
        finally:
            self._unload_unused()

    def _unload_unused(self) -> None:
        self._unloading.cancel()
        if (wait := self._models.unload_unused()) is not None and not self._closing:
            self._unloading = threading.Timer(wait, self._unload_later)
            self._unloading.daemon = True
            self._unloading.start()

    def _unload_later(self) -> None:
        with suppress(RuntimeError):  # the executor is shut down
            self._executor.submit(self._then_unload_unused, lambda: None).add_done_callback(_log_unexpected_error)

    def _observe_batch(self, batch: LocalBatch, seconds: float) -> None:
        if batch.jobs:  # none if all were put off
            spec = batch.jobs[0].spec
            memory = self._models.held_memory()
            self._observe(BatchEnded(self.device, spec.task, spec.name, len(batch.jobs), seconds, memory))

    def _run_with(self, pipeline: Pipeline, batch: LocalBatch) -> None:
        """Run the batch. If memory runs out, free memory and run the jobs one by one, once."""
        if not out_of_memory(lambda: pipeline.run(batch)):
            return
        self.reserve(batch, 0)
        for job in batch.unfinished():
            self._models.release_memory()
            single = LocalBatch(self, [job], can_join=False)
            try:
                failure = out_of_memory(lambda single=single: pipeline.run(single))
            except InferenceError as error:
                failure = error
            finally:
                self.reserve(single, 0)
            if failure:
                job.fail(failure)

    def _take_out(self, job: LocalJob) -> bool:
        """Remove a job from the queue, and return whether it was there."""
        with self._lock:
            waited = self._scheduler.cancel(job)
        if waited:
            self._positions.changed()
        return waited

    def _state(self) -> SchedulerState:
        with self._lock:
            return self._scheduler.state()


def _fail(jobs: Sequence[LocalJob], error: InferenceError) -> None:
    for job in jobs:
        job.fail(error)


def _fail_unfinished(jobs: Sequence[LocalJob]) -> None:
    """Fail jobs that the pipeline did not end, which is a bug in it. They would otherwise wait until their deadline."""
    if jobs:
        error = GenerationFailed("The model stopped without an answer. Try again.")
        log.error("error %s: %d jobs were left open by the pipeline of %s", error.error_id, len(jobs), jobs[0].spec)
        _fail(jobs, error)


def _log_unexpected_error(future: Future[None]) -> None:
    """Log an error of `_run_next`, which is a bug in this module: it should end its jobs whatever the pipeline does."""
    if not future.cancelled() and (error := future.exception()):
        log.critical("unexpected error on a device thread", exc_info=error)
