"""A batch that runs on a worker's thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from inference.backends.local_job import LocalJob
from inference.types import Loading, Started
from inference.types.errors import RequestCancelled

if TYPE_CHECKING:
    from inference.pipelines.pipeline import Job


class Worker(Protocol):
    """The methods of a worker that a batch needs."""

    @property
    def closing(self) -> bool: ...

    def next_short(self) -> list[LocalJob]:
        """Return waiting short jobs that may run now."""
        ...

    def run(self, jobs: list[LocalJob]) -> None:
        """Run jobs until all have ended."""
        ...

    def join(self, jobs: Sequence[LocalJob], max_count: int) -> list[LocalJob]:
        """Return up to `max_count` waiting jobs that can join `jobs`."""
        ...

    def release(self, jobs: Sequence[LocalJob]) -> None:
        """Free the queue places of ended jobs."""
        ...

    def free_memory(self) -> None:
        """Free memory that is not in use."""
        ...

    def reserve(self, batch: LocalBatch, nbytes: int) -> bool:
        """Count `nbytes` for what the batch keeps besides its model. Return False if they do not fit."""
        ...

    def put_off(self, job: LocalJob) -> bool:
        """Put a job back into the queue until no batch runs. Return False if there is no outer batch."""
        ...


class LocalBatch:
    """Implements `Batch`. Between two steps other jobs can run, join and leave."""

    def __init__(self, worker: Worker, jobs: list[LocalJob], *, can_join: bool = True) -> None:
        self.jobs = jobs
        self._unreleased = list(jobs)
        self._worker = worker
        self._can_join = can_join

    def unfinished(self) -> list[LocalJob]:
        return [job for job in self.jobs if not job.finished and not job.cancelled]

    def yield_point(self) -> None:
        self._release_ended()
        # Short batches are not interrupted. Long ones are, by one short batch per step, so that they always advance.
        if not all(job.short for job in self.jobs) and (short := self._worker.next_short()):
            self._worker.run(short)
        self._check_cancelled()

    def loading(self, fraction: float | None) -> None:
        """Report the loading progress to all jobs. Raise RequestCancelled if no job needs the model any more."""
        self._check_cancelled()
        for job in self.jobs:
            job.emit(Loading(fraction))

    def started(self) -> None:
        for job in self.jobs:
            job.emit(Started())

    def free_memory(self) -> None:
        self._worker.free_memory()

    def reserve(self, nbytes: int) -> bool:
        return self._worker.reserve(self, nbytes)

    def put_off(self, job: Job) -> bool:
        assert isinstance(job, LocalJob)
        if put_off := self._worker.put_off(job):
            self.jobs = [other for other in self.jobs if other is not job]
            self._unreleased = [other for other in self._unreleased if other is not job]
        return put_off

    def join(self, max_count: int) -> Sequence[LocalJob]:
        new_jobs = self._worker.join(self.jobs, max_count) if self._can_join and self.jobs else []
        for job in new_jobs:
            job.emit(Started())
        self.jobs += new_jobs
        self._unreleased += new_jobs
        return new_jobs

    def _check_cancelled(self) -> None:
        if self._worker.closing or not self.unfinished():
            raise RequestCancelled("This request was cancelled.")

    def _release_ended(self) -> None:
        """Free the queue places of jobs that have ended, while the rest of the batch goes on."""
        ended = [job for job in self._unreleased if job.finished or job.cancelled]
        if ended:
            self._unreleased = [job for job in self._unreleased if job not in ended]
            self._worker.release(ended)
