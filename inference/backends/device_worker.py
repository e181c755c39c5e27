"""One device and its one thread: takes batches from the queue, leases their model, runs them, never dies.

Models, fast tokenizers and diffusers pipelines are not thread-safe, so all of them live on this
thread. A long batch calls `yield_point()` between steps; waiting short requests run there, on the same
thread, between two steps of the picture that is being drawn.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from inference.backends.backend import QueueStatus
from inference.backends.local_batch import LocalBatch
from inference.backends.local_job import LocalJob
from inference.backends.model_manager import ModelManager
from inference.config.limits import Limits
from inference.pipelines.pipeline import out_of_memory
from inference.scheduling.scheduler import Scheduler
from inference.types import ModelSpec, Queued
from inference.types.errors import GenerationFailed, InferenceError, RequestCancelled

if TYPE_CHECKING:
    from inference.pipelines.pipeline import Pipeline

log = logging.getLogger(__name__)


class DeviceWorker:
    """The queue, the loaded models and the thread of one device."""

    def __init__(self, device: str, limits: Limits, models: ModelManager) -> None:
        self.device = device
        self._most = limits.batch
        self._models = models
        self._scheduler = Scheduler[LocalJob](limit=limits.queue, per_owner=limits.per_person, clock=time.perf_counter)
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"device-{device}")
        self._closing = False

    def submit(self, job: LocalJob) -> None:
        """Queue a job; raises Overloaded. Each job brings one turn of the thread, so none is left behind."""
        with self._lock:
            if self._closing:
                raise RequestCancelled("The bot is stopping.")
            self._scheduler.add(job)
            self._executor.submit(self._turn).add_done_callback(_log_surprise)
            if self._scheduler.running:
                self._announce()

    def check(self, spec: ModelSpec) -> None:
        """Raises ModelUnavailable if this machine can never run `spec`. Blocks."""
        self._executor.submit(self._models.check, spec).result()

    def loaded_bytes(self, spec: ModelSpec) -> int | None:
        return self._models.loaded_bytes(spec)

    def status(self) -> QueueStatus:
        with self._lock:
            scheduler = self._scheduler
            return QueueStatus(self.device, len(scheduler.waiting), len(scheduler.running), scheduler.backlog())

    def close(self) -> None:
        """Cancel what waits and runs, and wait until the thread has reached its next checkpoint."""
        with self._lock:
            self._closing = True
            left = [*self._scheduler.waiting, *self._scheduler.running]
        self._executor.shutdown(wait=True, cancel_futures=True)
        _fail(left, RequestCancelled("The bot is stopping."))

    def next_short(self) -> list[LocalJob]:
        """Waiting short jobs of one kind whose model can be there beside those in use."""
        with self._lock:
            specs = {job.spec for job in self._scheduler.waiting if job.short}
        ready = {spec for spec in specs if self._models.fits(spec)}  # may read the disk: not under the lock
        with self._lock:
            return self._scheduler.pop(self._most, lambda job: job.short and job.spec in ready) if ready else []

    def join(self, jobs: Sequence[LocalJob], room: int) -> list[LocalJob]:
        with self._lock:
            return self._scheduler.join(jobs[0].key, room) if room > 0 else []

    def free_memory(self) -> None:
        self._models.release_memory()

    @property
    def closing(self) -> bool:
        return self._closing

    def run(self, jobs: list[LocalJob]) -> None:
        """Run one batch to its end; every job in it is finished, failed or cancelled afterwards."""
        batch = LocalBatch(self, jobs)
        try:
            with self._models.lease(jobs[0].spec, batch.loading) as pipeline:
                batch.started()
                self._run_with(pipeline, batch)
            _fail_forgotten(batch.unfinished())
        except InferenceError as error:
            _fail(batch.unfinished(), error)
        finally:
            self.settle(batch.jobs)

    def settle(self, jobs: Sequence[LocalJob]) -> None:
        """Give back the places of jobs that ended, and tell the others how they moved up."""
        with self._lock:
            for job in jobs:
                self._scheduler.done(job)
            self._announce()

    def _turn(self) -> None:
        with self._lock:
            jobs = [] if self._closing else self._scheduler.pop(self._most)
            self._announce()
        if jobs:
            self.run(jobs)

    def _run_with(self, pipeline: Pipeline, batch: LocalBatch) -> None:
        """Run the batch; when memory runs out, free what can be freed and run its members one by one, once."""
        if not out_of_memory(lambda: pipeline.run(batch)):
            return
        for job in batch.unfinished():
            self._models.release_memory()
            alone = LocalBatch(self, [job], may_grow=False)
            try:
                failure = out_of_memory(lambda alone=alone: pipeline.run(alone))
            except InferenceError as error:
                failure = error
            if failure:
                job.fail(failure)

    def _announce(self) -> None:
        """Tell every waiting job whose place changed where it stands. Called under the lock, so that order holds."""
        for forecast in self._scheduler.forecast():
            if forecast.entry.position != forecast.position:
                forecast.entry.position = forecast.position
                forecast.entry.emit(Queued(forecast.position, forecast.eta))


def _fail(jobs: Sequence[LocalJob], error: InferenceError) -> None:
    for job in jobs:
        job.fail(error)


def _fail_forgotten(jobs: Sequence[LocalJob]) -> None:
    """A pipeline ends its jobs itself. Those that it leaves open would wait until their deadline: a defect of it."""
    if jobs:
        error = GenerationFailed("The model stopped without an answer. Try again.")
        log.error("error %s: %d jobs were left open by the pipeline of %s", error.error_id, len(jobs), jobs[0].spec)
        _fail(jobs, error)


def _log_surprise(turn: Future[None]) -> None:
    """A turn ends its jobs whatever the pipeline does; what gets through is a defect of this file."""
    if not turn.cancelled() and (error := turn.exception()):
        log.critical("a device thread's turn failed", exc_info=error)
