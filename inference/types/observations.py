"""What happens while requests are served, for logs, metrics and quotas. None of it holds content.

engine.observe(lambda observation: print(observation))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["answered", "refused", "withheld", "cancelled", "timed out", "failed"]
"""How a request ended: "refused" by a check or a full queue, "withheld" since a classifier objected to the result,
"cancelled" by its caller, "failed" in the model."""


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """A request has ended; observed on the event loop.

    `id` is the caller's name for it, and `error_id` connects an error to its traceback in the log; both may be empty.
    `waited` and `ran` are the seconds before and after the model started with it, for the last time if a device was
    lost. `first_output` are the seconds from the beginning to the first text or result, None if there was none. `units`
    counts what the model did, tokens or diffusion steps, as `unit` says; it is 0 for models without either.
    """

    id: str
    task: str
    model: str
    device: str
    owner: str
    group: str
    outcome: Outcome
    waited: float
    ran: float
    first_output: float | None
    units: int
    unit: Literal["tokens", "steps", ""]
    error_id: str = ""


@dataclass(frozen=True, slots=True)
class DeviceUsed:
    """A request used a device for `seconds`, its part of the time of its batches, as far as its owner is charged.

    `device` is empty if it is none of those that the use is told to: all of them count it.
    """

    device: str
    owner: str
    group: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """A model has worked `seconds` on a batch of `size` requests.

    `memory` is what the bot then holds of the device's memory in bytes; None on CPUs, where it is the process's memory.
    """

    device: str
    task: str
    model: str
    size: int
    seconds: float
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A model is in memory, after `seconds` of loading. `nbytes` is the size of its weights."""

    device: str
    model: str
    nbytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelUnloaded:
    """A model has left the memory."""

    device: str
    model: str


Observation = RequestEnded | DeviceUsed | BatchEnded | ModelLoaded | ModelUnloaded

Observer = Callable[[Observation], None]
"""Called on any thread. It must return at once, and must not raise."""
