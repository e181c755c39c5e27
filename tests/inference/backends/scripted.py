"""A device worker with scripted pipelines, without torch, for the tests of the worker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from inference.backends.device_worker import DeviceWorker
from inference.backends.local_job import LocalJob
from inference.config.schema import Config
from inference.limits import Limits
from inference.pipelines.pipeline import Batch, Pipeline
from inference.scheduling.scheduler import SchedulerState
from inference.tasks import CompleteRequest, Completion, Mood, Request, SentimentRequest, SentimentResult
from inference.types import Event, LoadProgress, ModelSpec, Output, Result
from inference.types.errors import (
    InferenceError,
    ModelUnavailable,
)
from inference.types.observations import Observation

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement


def answer(request: Request) -> Output:
    if isinstance(request, CompleteRequest):
        return Completion(request.prompt.upper(), request.seed or 0)
    return SentimentResult((Mood("positive", 1.0, 1.0),))


def answer_all(batch: Batch) -> None:
    for job in batch.jobs:
        if not job.cancelled:
            job.finish(answer(job.request))


class ScriptedPipeline(Pipeline):
    """A pipeline that runs the script of the test on the device thread."""

    nbytes = 1

    def __init__(self) -> None:
        self.script: Callable[[Batch], None] = answer_all
        self.batches: list[list[Request]] = []

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls()

    def run(self, batch: Batch) -> None:
        self.batches.append([job.request for job in batch.jobs])
        self.script(batch)


class ScriptedModels:
    """Replace `ModelManager`, with the same pipeline for every spec."""

    def __init__(self) -> None:
        self.pipeline = ScriptedPipeline()
        self.fetch: Callable[[LoadProgress], None] = lambda on_progress: on_progress(None)
        self.unavailable: ModelUnavailable | None = None
        self.not_fitting: set[str] = set()
        self.released = 0

    @contextmanager
    def lease(self, spec: ModelSpec, on_progress: LoadProgress) -> Generator[Pipeline]:
        self.fetch(on_progress)
        if self.unavailable:
            raise self.unavailable
        yield self.pipeline

    def fits(self, spec: ModelSpec) -> bool:
        return spec.name not in self.not_fitting

    def apply(self, config: Config) -> None:
        pass

    def unload_unused(self) -> float | None:
        return None

    def loaded(self) -> tuple[tuple[str, int], ...]:
        return ()

    budget = 0

    def release_memory(self) -> None:
        self.released += 1

    def held_memory(self) -> int | None:
        return 7

    def reserve(self, owner: object, nbytes: int) -> bool:
        return True


class Caller:
    """A listener that collects the events of one request."""

    def __init__(self) -> None:
        self.events: list[Event | InferenceError] = []
        self.finished = asyncio.Event()

    def __call__(self, event: Event | InferenceError) -> None:
        self.events.append(event)
        if isinstance(event, Result | InferenceError):
            self.finished.set()

    async def outcome(self) -> Output | InferenceError:
        await asyncio.wait_for(self.finished.wait(), 10)
        last = self.events[-1]
        return last.output if isinstance(last, Result) else last  # type: ignore[return-value]


class WorkerHarness:
    """A device worker with scripted models, and methods that submit requests to it."""

    def __init__(self, limits: Limits) -> None:
        self.models = ScriptedModels()
        self.kept: list[SchedulerState] = []
        self.observed: list[Observation] = []
        models: Any = self.models
        self.worker = DeviceWorker(
            "cpu", limits, models, keep=lambda state: self.kept.append(state()), observe=self.observed.append
        )

    def submit(self, request: Request, model: str = "m", request_id: str = "") -> tuple[LocalJob, Caller]:
        caller = Caller()
        spec = ModelSpec(name=model, task=request.task, repo=f"org/{model}")
        job = LocalJob(spec, request, caller, asyncio.get_running_loop(), request_id)
        self.worker.submit(job)
        return job, caller

    def complete(self, prompt: str, owner: str = "", request_id: str = "") -> tuple[LocalJob, Caller]:
        return self.submit(CompleteRequest(prompt=prompt, owner=owner), request_id=request_id)

    def mood(self, owner: str = "") -> tuple[LocalJob, Caller]:
        return self.submit(SentimentRequest(texts=("fine",), owner=owner))

    def block_next_batch(self) -> tuple[threading.Event, threading.Event]:
        """Make the next batch wait. Return two events: `started` is set by the batch, `go_on` lets it continue.

        A batch that continues passes one yield point before it answers.
        """
        started, go_on = threading.Event(), threading.Event()

        def wait(batch: Batch) -> None:
            self.models.pipeline.script = answer_all
            started.set()
            assert go_on.wait(10)
            batch.yield_point()
            answer_all(batch)

        self.models.pipeline.script = wait
        return started, go_on


async def wait_for(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)
