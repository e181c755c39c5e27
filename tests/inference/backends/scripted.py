"""A device worker on scripted models, without torch: what the worker's tests drive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from inference.backends.device_worker import DeviceWorker
from inference.backends.local_job import LocalJob
from inference.limits import Limits
from inference.pipelines.pipeline import Batch, Pipeline
from inference.tasks import CompleteRequest, Completion, Mood, Request, SentimentRequest, SentimentResult
from inference.types import Event, LoadProgress, ModelSpec, Output, Result
from inference.types.errors import (
    InferenceError,
    ModelUnavailable,
)

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
    """Runs whatever the test says, on the device thread."""

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
    """Stands where `Models` does; one pipeline for every spec."""

    def __init__(self) -> None:
        self.pipeline = ScriptedPipeline()
        self.fetch: Callable[[LoadProgress], None] = lambda on_progress: on_progress(None)
        self.unavailable: ModelUnavailable | None = None
        self.without_room: set[str] = set()
        self.released = 0

    @contextmanager
    def lease(self, spec: ModelSpec, on_progress: LoadProgress) -> Generator[Pipeline]:
        self.fetch(on_progress)
        if self.unavailable:
            raise self.unavailable
        yield self.pipeline

    def fits(self, spec: ModelSpec) -> bool:
        return spec.name not in self.without_room

    def release_memory(self) -> None:
        self.released += 1


class Caller:
    """Collects the events of one request."""

    def __init__(self) -> None:
        self.events: list[Event | InferenceError] = []
        self.ended = asyncio.Event()

    def __call__(self, event: Event | InferenceError) -> None:
        self.events.append(event)
        if isinstance(event, Result | InferenceError):
            self.ended.set()

    async def outcome(self) -> Output | InferenceError:
        await asyncio.wait_for(self.ended.wait(), 10)
        last = self.events[-1]
        return last.output if isinstance(last, Result) else last  # type: ignore[return-value]


class Bench:
    """A worker on scripted models, and what was submitted to it."""

    def __init__(self, limits: Limits) -> None:
        self.models = ScriptedModels()
        models: Any = self.models
        self.worker = DeviceWorker("cpu", limits, models)

    def submit(self, request: Request, model: str = "m") -> tuple[LocalJob, Caller]:
        caller = Caller()
        spec = ModelSpec(name=model, task=request.task, repo=f"org/{model}")
        job = LocalJob(spec, request, caller, asyncio.get_running_loop())
        self.worker.submit(job)
        return job, caller

    def complete(self, prompt: str, owner: str = "") -> tuple[LocalJob, Caller]:
        return self.submit(CompleteRequest(prompt=prompt, owner=owner))

    def mood(self, owner: str = "") -> tuple[LocalJob, Caller]:
        return self.submit(SentimentRequest(texts=("fine",), owner=owner))

    def hold(self) -> tuple[threading.Event, threading.Event]:
        """The next batch waits: (set when it has begun, to be set for it to go on, through a checkpoint)."""
        begun, go_on = threading.Event(), threading.Event()

        def wait(batch: Batch) -> None:
            self.models.pipeline.script = answer_all
            begun.set()
            assert go_on.wait(10)
            batch.yield_point()
            answer_all(batch)

        self.models.pipeline.script = wait
        return begun, go_on


async def begun(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)
