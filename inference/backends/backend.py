"""The interface between the engine and the code that runs models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from inference.config.schema import Config
from inference.hub.model_card import ModelCard
from inference.tasks import Request
from inference.types import Event, LoadProgress, ModelSpec
from inference.types.errors import InferenceError
from inference.types.observations import DeviceUsed

Listener = Callable[[Event | InferenceError], None]
"""Called on the event loop, in order. The last call is a `Result` or an error."""

ModelState = Literal["loaded", "on disk", "not downloaded", "on a server", "device away"]
"""Of a model whose device is away, it is not known where its files are."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The state of a listed model, its size in bytes (in memory if loaded, else on disk), and its model card.

    `way` says how a language model writes several texts, such as "batched" or "one text at a time", and of a diffusion
    model that would not fit what is done for it, such as "offload: model". It is empty for other models, and if it is
    not known yet. `problem` says why this machine can't run the model, as far as it was
    checked, or why its server can't. A model on a server has no size here.
    """

    spec: ModelSpec
    state: ModelState
    nbytes: int
    card: ModelCard = field(default_factory=ModelCard)
    way: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The queue of one device: numbers of waiting and running requests, and seconds until a new one would start.

    `loaded` has the names of the models in its memory with their bytes, of which all together may take `budget`. With
    `on_server` the device is a server, `device` is its host, and nothing is known of its memory. Without a name of
    the device, the requests wait until one that can run them is there.
    """

    device: str
    waiting: int
    running: int
    eta: float | None
    loaded: tuple[tuple[str, int], ...] = ()
    budget: int = 0
    on_server: bool = False


class Ticket(Protocol):
    """A scheduled request. `cancel` may be called at any time, on the event loop."""

    @property
    def units(self) -> int:
        """The tokens or diffusion steps that the model has done so far."""
        ...

    @property
    def device(self) -> str:
        """The device that runs it; empty if it was not queued yet."""
        ...

    def cancel(self) -> None: ...


class DeviceTicket(Ticket, Protocol):
    """A request on a device, as long as it may move to another one."""

    async def withdraw(self) -> bool:
        """Take the request out of its queue. Return False if it has left the queue already, and goes on.

        If it was taken out, its listener is not called any more.
        """
        ...


class Executor(Protocol):
    """Runs requests. All methods are called on the event loop and return at once.

    What goes in and what comes back is plain data (`inference.serialization`), so that it may run elsewhere.
    """

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> DeviceTicket:
        """Queue a request; `request_id` is its caller's name for it. Raise Overloaded if the queue is full."""
        ...

    def queues(self) -> list[QueueStatus]: ...

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        """Return the queue of the model's device; None if the device is away."""
        ...

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        """Return how long a device is expected to work on the request; None if that is not known."""
        ...

    def pause(self, paused: bool) -> None:
        """Start no more requests, on any device; or start those that wait. Running ones go on, with their checks."""
        ...

    def apply(self, config: Config) -> None:
        """Use `config`, which has no problems, from now on. Accepted requests go on as they are."""
        ...

    def charge(self, use: DeviceUsed) -> None:
        """Count `use` of one device against its owner on all others. May be called on any thread.

        A use without a device was observed by another process of the bot: all devices of this process count it.
        """
        ...

    async def forget_owner(self, owner: str) -> None:
        """Delete how much `owner` used the devices of late, in memory and on disk."""
        ...

    async def close(self) -> None:
        """Cancel all requests, then release the devices."""
        ...


class ModelCatalog(Protocol):
    """Knows the models: where they are, what they can do, and what keeps them from running."""

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        """Return the model on each device that may run it, as far as they are known now."""
        ...

    def loaded(self, spec: ModelSpec) -> bool:
        """Return whether the model is in memory, without access to disk or network."""
        ...

    def answers_about_pictures(self, spec: ModelSpec) -> bool | None:
        """Return whether the model answers questions about pictures; None if its files have not been seen yet."""
        ...

    async def require_device(self, spec: ModelSpec) -> None:
        """Wait until it is known whether a device of the model is there. Raise ModelUnavailable with the reason if not.

        Only devices of other machines count: those of this one are looked for when a request needs them.
        """
        ...

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        """Return the state of each model. Reads the disk, off the event loop, or asks servers."""
        ...

    def problems(self) -> list[str]:
        """Return what the files of the listed models rule out, with its position in the config. Reads the disk."""
        ...

    def device_problems(self, *, probe: bool = False) -> list[str]:
        """Return what devices and servers lack for the listed models, with its position in the config.

        With `probe`, models whose kind must be tried are loaded once. `statuses` tells what was found, too. Blocks for
        seconds: call it before the event loop runs, or in a thread.
        """
        ...

    async def problems_of(self, config: Config) -> list[str]:
        """Return what in another config this machine can't do, while requests run."""
        ...

    def apply(self, config: Config) -> None:
        """Use `config`, which has no problems, from now on."""
        ...

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        """Load a model when its device is free; download it if needed. Raise ModelUnavailable."""
        ...

    async def unload(self, spec: ModelSpec) -> bool:
        """Unload a model when its device is free. Return False if it is in use, or not loaded."""
        ...

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        """Download a model's files. `on_progress` is called on another thread. Raise ModelUnavailable."""
        ...


class Backend(Executor, ModelCatalog, Protocol):
    """Runs the requests for some models, and knows these models."""


def listed_problems(
    config: Config,
    is_own: Callable[[ModelSpec], bool],
    refusals: Callable[[ModelSpec], list[str]],
    why_no_device: Callable[[ModelSpec], str] = lambda _: "",
) -> list[str]:
    """Return the refusals of a backend's own models, each with its position in the file, ordered by line.

    A model is checked on each of its devices. What all of them have in common, such as broken files, is told once.
    `why_no_device` says why the device of a model can't be used at all. That is told where the file names the device,
    and so once for all models that run where the line `device` at the top says.
    """
    problems: dict[tuple[int, str], None] = {}
    for position, spec in config.listed():
        for placed in filter(is_own, spec.placements):
            found = [(position, sentence) for sentence in refusals(placed)]
            if missing := why_no_device(placed):
                found = [(config.device_position(position), missing)]
            problems |= {(config.line(place), config.problem(place, sentence)): None for place, sentence in found}
    return [text for _, text in sorted(problems, key=lambda problem: problem[0])]
