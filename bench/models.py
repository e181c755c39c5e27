"""Models in the hub cache for the measurements. Nothing is downloaded; missing models are reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.result_table import Skipped
from inference import Config, Engine, InferenceError, ModelSpec, Output, Request, create_engine
from inference.config.models import ModelEntry
from inference.hub.hub import Hub
from inference.pipelines.pipeline import Job
from inference.types import DType, Event


def settings(task: str, repo: str, dtype: DType = "auto", **options: Any) -> Config:
    """Return a config with `repo` only, a hub id, a folder or a file. Raise Skipped if it is not on this machine.

    `options` are more options of its entry, such as `quantize`.
    """
    config = Config(models={task: (ModelEntry(repo=repo, dtype=dtype, **options),)}, download=False)
    folder(config, config.specs(task)[0])
    return config


def engine_for(task: str, repo: str, dtype: DType = "auto") -> Engine:
    """Return an engine created as in the bot. Raise Skipped."""
    return create_engine(settings(task, repo, dtype))


class Caller:
    """Runs requests through an engine as the bot does, for code without an event loop. A context manager."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._engine.close())
        self._runner.close()

    def run(self, request: Request) -> Output:
        """Return the result of one request."""
        return self._runner.run(self._engine.run(self._engine.check(request)))


def folder(config: Config, spec: ModelSpec) -> Path:
    """Return the folder of the model's files. Raise Skipped."""
    hub = Hub(config)
    if hub.state(spec)[0] == "not downloaded":
        raise Skipped(f"{spec.repo} is not downloaded")
    return hub.folder(spec, lambda fraction: None)


def with_companions(config: Config, spec: ModelSpec) -> ModelSpec:
    """Return the spec with the folder of its companion repository, if it needs one. Raise Skipped."""
    folder(config, spec)
    return Hub(config).with_companions(spec)


@dataclass(slots=True)
class SingleJob:
    """Implements `Job` for a direct call of a pipeline. `on_event` receives its events."""

    request: Request
    on_event: Callable[[Event], None] = lambda event: None
    cancelled: bool = False
    value: Output | None = None

    def emit(self, event: Event) -> None:
        self.on_event(event)

    def count_token(self) -> None:
        pass

    def finish(self, value: Output) -> None:
        self.value = value

    def fail(self, error: InferenceError) -> None:
        raise error


@dataclass(slots=True)
class FixedBatch:
    """Implements `Batch` for some jobs without a queue."""

    jobs: Sequence[SingleJob]

    @classmethod
    def of(cls, *jobs: SingleJob) -> FixedBatch:
        return cls(jobs)

    def yield_point(self) -> None:
        """Do nothing: no job waits or leaves."""

    def free_memory(self) -> None:
        """Do nothing: there are no idle models."""

    def reserve(self, nbytes: int) -> bool:
        return True

    def put_off(self, job: Job) -> bool:
        return False

    def join(self, max_count: int) -> Sequence[SingleJob]:
        return []
