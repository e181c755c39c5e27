"""One run of a pipeline on a worker's thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from inference.backends.local_job import LocalJob
from inference.types import Loading, Started
from inference.types.errors import RequestCancelled


class Worker(Protocol):
    """What a batch asks of the thread that it runs on."""

    @property
    def closing(self) -> bool: ...

    def next_short(self) -> list[LocalJob]:
        """Return waiting short jobs that may run now."""
        ...

    def run(self, jobs: list[LocalJob]) -> None:
        """Run jobs to their end."""
        ...

    def join(self, jobs: Sequence[LocalJob], room: int) -> list[LocalJob]:
        """Return up to `room` waiting jobs that fit to `jobs`."""
        ...

    def settle(self, jobs: Sequence[LocalJob]) -> None:
        """Give back the places of jobs that ended."""
        ...

    def free_memory(self) -> None:
        """Drop what is not in use."""
        ...


class LocalBatch:
    """Implements `Batch`: between two steps it lets others run, come and go."""

    def __init__(self, worker: Worker, jobs: list[LocalJob], *, may_grow: bool = True) -> None:
        self.jobs = jobs
        self._unsettled = list(jobs)
        self._worker = worker
        self._may_grow = may_grow

    def unfinished(self) -> list[LocalJob]:
        return [job for job in self.jobs if not job.finished and not job.cancelled]

    def yield_point(self) -> None:
        self._settle()
        # A batch of short jobs is held up by no other, and however many there are, a long one gets its next step.
        if not all(job.short for job in self.jobs) and (short := self._worker.next_short()):
            self._worker.run(short)
        self._require_somebody()

    def loading(self, fraction: float | None) -> None:
        """Tell the jobs; raises RequestCancelled, so that nothing is loaded that nobody wants any more."""
        self._require_somebody()
        for job in self.jobs:
            job.emit(Loading(fraction))

    def started(self) -> None:
        for job in self.jobs:
            job.emit(Started())

    def free_memory(self) -> None:
        self._worker.free_memory()

    def join(self, room: int) -> Sequence[LocalJob]:
        newcomers = self._worker.join(self.jobs, room) if self._may_grow else []
        for job in newcomers:
            job.emit(Started())
        self.jobs += newcomers
        self._unsettled += newcomers
        return newcomers

    def _require_somebody(self) -> None:
        if self._worker.closing or not self.unfinished():
            raise RequestCancelled("This request was cancelled.")

    def _settle(self) -> None:
        """Jobs that ended give their places to others while the rest of the batch goes on."""
        over = [job for job in self._unsettled if job.finished or job.cancelled]
        if over:
            self._unsettled = [job for job in self._unsettled if job not in over]
            self._worker.settle(over)
