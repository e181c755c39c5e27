"""A batch in memory: what a pipeline's tests hand it instead of a device thread.

answers = run(pipeline, AskRequest(question="Who?", context="…"))

batch = MemoryBatch.of(request, other)        # to look at events, cancel, or let jobs arrive later
batch.at_checkpoint = lambda: batch.jobs[0].cancel()
batch.run(pipeline)
assert batch.jobs[0].events == [Progress(1, 3)]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from inference.pipelines.pipeline import Pipeline
from inference.tasks import Request
from inference.types import Event, Output
from inference.types.errors import InferenceError, RequestCancelled


@dataclass
class MemoryJob:
    """Implements `Job`; keeps every event, and the one outcome that it may have."""

    request: Request
    cancelled: bool = False
    events: list[Event] = field(default_factory=list[Event])
    outcome: Output | InferenceError | None = None

    def cancel(self) -> None:
        self.cancelled = True

    def emit(self, event: Event) -> None:
        assert self.outcome is None, "an event after the end"
        self.events.append(event)

    def finish(self, value: Output) -> None:
        self._end(value)

    def fail(self, error: InferenceError) -> None:
        self._end(error)

    def _end(self, outcome: Output | InferenceError) -> None:
        assert self.outcome is None, "a job ends once"
        self.outcome = outcome


def _nothing() -> None:
    pass


@dataclass
class MemoryBatch:
    """Implements `Batch`; `arrivals` are what `join` may take, `on_yield` runs at each checkpoint."""

    jobs: list[MemoryJob]
    arrivals: list[MemoryJob] = field(default_factory=list[MemoryJob])
    on_yield: Callable[[], object] = _nothing
    yield_points: int = 0
    freed: int = 0

    @classmethod
    def of(cls, *requests: Request) -> MemoryBatch:
        return cls([MemoryJob(request) for request in requests])

    def yield_point(self) -> None:
        self.yield_points += 1
        self.on_yield()
        if all(job.cancelled for job in self.jobs):
            raise RequestCancelled("Everybody has gone.")

    def free_memory(self) -> None:
        self.freed += 1

    def join(self, max_count: int) -> list[MemoryJob]:
        taken, self.arrivals = self.arrivals[:max_count], self.arrivals[max_count:]
        self.jobs.extend(taken)
        return taken

    def run(self, pipeline: Pipeline) -> list[Output | InferenceError]:
        """Run and return the outcomes in order; like the backend, fail what an error leaves open."""
        try:
            pipeline.run(self)
        except InferenceError as error:
            for job in self.jobs:
                if job.outcome is None:
                    job.fail(error)
        outcomes = [job.outcome for job in self.jobs if job.outcome is not None]
        assert all(job.outcome is not None or job.cancelled for job in self.jobs), "a job was left open"
        return outcomes


def run(pipeline: Pipeline, *requests: Request) -> list[Output | InferenceError]:
    """The outcome of each request, run as one batch."""
    return MemoryBatch.of(*requests).run(pipeline)
