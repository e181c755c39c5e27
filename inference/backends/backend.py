"""What the engine asks of whatever runs the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from inference.hub.model_card import ModelCard
from inference.tasks import Request
from inference.types import Event, ModelSpec
from inference.types.errors import InferenceError

Listener = Callable[[Event | InferenceError], None]
"""Called on the event loop, in order; a `Result` or an error is the last call."""

ModelState = Literal["loaded", "on disk", "not downloaded"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One listed model: where it is, its size in bytes (in memory if loaded, else on disk), and what is known of it."""

    spec: ModelSpec
    state: ModelState
    nbytes: int
    card: ModelCard = field(default_factory=ModelCard)


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One device's queue: how many requests wait and run, and seconds until a new one would start."""

    device: str
    waiting: int
    running: int
    eta: float | None


class Ticket(Protocol):
    """A scheduled request; `cancel` may be called at any time, from the event loop."""

    def cancel(self) -> None: ...


class Backend(Protocol):
    """Runs requests somewhere. All methods are called on the event loop and return at once."""

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener) -> Ticket:
        """Queue a request; raises Overloaded when there is no place."""
        ...

    def queues(self) -> list[QueueStatus]: ...

    def loaded(self, spec: ModelSpec) -> bool:
        """Whether the model is in memory; from what is known, without looking anywhere."""
        ...

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        """Where each model is; reads the disk, off the loop."""
        ...

    def problems(self) -> list[str]:
        """What in the config can't be done here, each with its place in the file; blocks, maybe for seconds."""
        ...

    async def close(self) -> None:
        """Cancel what runs and waits, then release the devices."""
        ...
