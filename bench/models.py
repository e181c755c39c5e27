"""Models of the hub cache for the measurements: nothing is downloaded, and what is missing is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.row import Skipped
from inference import Config, Engine, InferenceError, ModelSpec, Output, Request, create_engine
from inference.config.schema import ModelEntry
from inference.hub import Hub
from inference.types import DType, Event


def settings(task: str, repo: str, dtype: DType = "auto") -> Config:
    """A config that lists `repo` alone, a hub id or a folder; raises Skipped if it is not on this machine."""
    config = Config(models={task: (ModelEntry(repo=repo, dtype=dtype),)}, download=False)
    folder(config, config.specs(task)[0])
    return config


def engine_for(task: str, repo: str, dtype: DType = "auto") -> Engine:
    """Made as the bot makes it. Raises Skipped."""
    return create_engine(settings(task, repo, dtype))


def folder(config: Config, spec: ModelSpec) -> Path:
    """Where the model's files are. Raises Skipped."""
    hub = Hub(config)
    if hub.state(spec)[0] == "not downloaded":
        raise Skipped(f"{spec.repo} is not downloaded")
    return hub.folder(spec, lambda fraction: None)


def equipped(config: Config, spec: ModelSpec) -> ModelSpec:
    """With the folder of the other repository that the model needs, if it needs one. Raises Skipped."""
    folder(config, spec)
    return Hub(config).with_companion(spec)


@dataclass(slots=True)
class SingleJob:
    """Implements `Job` for a direct call of a pipeline; `on_event` hears what it emits."""

    request: Request
    on_event: Callable[[Event], None] = lambda event: None
    cancelled: bool = False
    value: Output | None = None

    def emit(self, event: Event) -> None:
        self.on_event(event)

    def finish(self, value: Output) -> None:
        self.value = value

    def fail(self, error: InferenceError) -> None:
        raise error


@dataclass(slots=True)
class SingleBatch:
    """Implements `Batch` for one job, with nobody waiting."""

    job: SingleJob
    jobs: Sequence[SingleJob] = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = [self.job]

    def yield_point(self) -> None:
        """Nobody waits, nobody leaves."""

    def free_memory(self) -> None:
        """There are no idle models here."""

    def join(self, room: int) -> Sequence[SingleJob]:
        return []
