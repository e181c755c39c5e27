"""A batch in memory, without a device thread, for the tests of the pipelines.

answers = run(pipeline, AskRequest(question="Who?", context="…"))

batch = MemoryBatch.of(request, other)        # to inspect events, cancel jobs, or add jobs later
batch.on_yield = lambda: batch.jobs[0].cancel()
batch.run(pipeline)
assert batch.jobs[0].events == [Progress(1, 3)]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from inference.pipelines.pipeline import Job, Pipeline
from inference.tasks import Request
from inference.types import Event, Output
from inference.types.errors import InferenceError, RequestCancelled


@dataclass
class MemoryJob:
    """Implement `Job`, and record every event and the outcome."""

    request: Request
    cancelled: bool = False
    events: list[Event] = field(default_factory=list[Event])
    outcome: Output | InferenceError | None = None
    tokens: int = 0

    def cancel(self) -> None:
        self.cancelled = True

    def emit(self, event: Event) -> None:
        assert self.outcome is None, "a job emitted an event after its outcome"
        self.events.append(event)

    def count_token(self) -> None:
        self.tokens += 1

    def finish(self, value: Output) -> None:
        self._set_outcome(value)

    def fail(self, error: InferenceError) -> None:
        self._set_outcome(error)

    def _set_outcome(self, outcome: Output | InferenceError) -> None:
        assert self.outcome is None, "a job got two outcomes"
        self.outcome = outcome


def _do_nothing() -> None:
    pass


@dataclass
class MemoryBatch:
    """Implement `Batch`. `join` takes jobs from `arrivals`, and each yield point calls `on_yield`.

    If it `runs_inside` another batch, jobs can be `put_off`.
    """

    jobs: list[MemoryJob]
    arrivals: list[MemoryJob] = field(default_factory=list[MemoryJob])
    on_yield: Callable[[], object] = _do_nothing
    yield_points: int = 0
    freed: int = 0
    memory: int = 10**12
    reserved: list[int] = field(default_factory=list[int])
    runs_inside: bool = False
    put_off_jobs: list[MemoryJob] = field(default_factory=list[MemoryJob])

    @classmethod
    def of(cls, *requests: Request) -> MemoryBatch:
        return cls([MemoryJob(request) for request in requests])

    def yield_point(self) -> None:
        self.yield_points += 1
        self.on_yield()
        if all(job.cancelled for job in self.jobs):
            raise RequestCancelled("All jobs are cancelled.")

    def free_memory(self) -> None:
        self.freed += 1

    def reserve(self, nbytes: int) -> bool:
        if nbytes > self.memory:
            return False
        self.reserved.append(nbytes)
        return True

    def put_off(self, job: Job) -> bool:
        assert isinstance(job, MemoryJob)
        if self.runs_inside:
            self.jobs.remove(job)
            self.put_off_jobs.append(job)
        return self.runs_inside

    def join(self, max_count: int) -> list[MemoryJob]:
        taken, self.arrivals = self.arrivals[:max_count], self.arrivals[max_count:]
        self.jobs.extend(taken)
        return taken

    def run(self, pipeline: Pipeline) -> list[Output | InferenceError]:
        """Run the batch and return the outcomes in order. Like the backend, fail the unfinished jobs after an error."""
        try:
            pipeline.run(self)
        except InferenceError as error:
            for job in self.jobs:
                if job.outcome is None:
                    job.fail(error)
        outcomes = [job.outcome for job in self.jobs if job.outcome is not None]
        assert all(job.outcome is not None or job.cancelled for job in self.jobs), "a job has no outcome"
        return outcomes


def run(pipeline: Pipeline, *requests: Request) -> list[Output | InferenceError]:
    """Run the requests as one batch and return their outcomes."""
    return MemoryBatch.of(*requests).run(pipeline)
