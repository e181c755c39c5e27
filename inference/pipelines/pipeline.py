"""The interface between a device thread and a model, and the only place that converts errors of libraries.

A pipeline is a loaded model. It gets a `Batch` of jobs whose requests share a batch key. It ends each job by `finish`
or `fail`, at any time: a language model ends each job as soon as its text is finished. It must call
`batch.yield_point()` regularly, so that it does not block other work for long.
"""

from __future__ import annotations

import errno
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from inference.tasks import Request
from inference.types import Event, ModelSpec, Output
from inference.types.errors import (
    GenerationFailed,
    InferenceError,
    ModelUnavailable,
    OutOfMemory,
    Phrase,
    RequestCancelled,
)

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

log = logging.getLogger(__name__)

REQUESTS_AT_WORK: ContextVar[Callable[[], Sequence[str]]] = ContextVar("REQUESTS_AT_WORK", default=tuple)
"""Returns the ids of the requests on which the current thread works, for its lines in the log."""


class Job(Protocol):
    """One request of a caller inside a batch. Every method may be called from the device thread."""

    @property
    def request(self) -> Request: ...

    @property
    def cancelled(self) -> bool:
        """Whether the caller has left or the deadline has passed. Emitted events then have no effect."""
        ...

    def emit(self, event: Event) -> None: ...

    def count_token(self) -> None:
        """Count one token that a language model has written for it."""
        ...

    def finish(self, value: Output) -> None: ...

    def fail(self, error: InferenceError) -> None: ...


class Batch(Protocol):
    """Jobs for one model that may run together."""

    @property
    def jobs(self) -> Sequence[Job]: ...

    def yield_point(self) -> None:
        """Run waiting short requests. Raise RequestCancelled if every job of the batch is cancelled."""
        ...

    def free_memory(self) -> None:
        """Free unused memory, including idle models, after memory ran out."""
        ...

    def reserve(self, nbytes: int) -> bool:
        """Count `nbytes` of the memory budget for what the batch keeps now, such as keys and values.

        They take the place of the last number, and are given back when the batch has ended. Return False if they do not
        fit beside the models in use.
        """
        ...

    def put_off(self, job: Job) -> bool:
        """Put a job without results back into the queue, if the batch runs inside a longer one that keeps memory.

        It then waits until that one has ended. Return False, and change nothing, if there is none.
        """
        ...

    def join(self, max_count: int) -> Sequence[Job]:
        """Add up to `max_count` waiting compatible jobs to the batch, and return them."""
        ...


class Pipeline(ABC):
    """A loaded model. It is used by one device thread only."""

    nbytes: int
    """Size of the weights in bytes."""

    verdict: str = ""
    """What `load` found out, if the family is probed. It is kept with the model's commit, and the next `load` gets it
    in the spec."""

    @classmethod
    @abstractmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Read the model's files onto its device.

        May raise any error: `wrap_library_errors` converts it to ModelUnavailable.
        """

    @abstractmethod
    def run(self, batch: Batch) -> None:
        """Finish or fail every job that is not cancelled. May raise: the backend then fails the remaining jobs."""


class RuntimeUnsuitable(Exception):
    """A runtime turned out not to fit a model while it was loaded, for this reason."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason)
        self.reason = reason


def run_each(batch: Batch, answer: Callable[[Request], Output]) -> None:
    """Answer the requests one after another. An error fails only its own job."""
    run_jobs(batch, lambda job: answer(job.request))


def run_jobs(batch: Batch, answer: Callable[[Job], Output]) -> None:
    """Like `run_each`, for long work that reports progress and yields while it runs."""
    for job in batch.jobs:
        batch.yield_point()
        if job.cancelled:
            continue
        try:
            with wrap_library_errors():
                value = answer(job)
        except OutOfMemory:
            raise  # the backend frees memory and tries again
        except InferenceError as error:
            job.fail(error)
        else:
            job.finish(value)


def yield_to_others(batch: Batch, job: Job) -> None:
    """Yield in the middle of one job. Raise RequestCancelled if its caller has left."""
    batch.yield_point()
    if job.cancelled:
        raise RequestCancelled("This request was cancelled.")


@contextmanager
def wrap_library_errors(loading: str = "") -> Generator[None]:
    """Convert errors of libraries to InferenceError. `loading` is the name of the model while it is loaded."""
    try:
        yield
    except InferenceError:
        raise
    except Exception as error:
        wrapped = _wrap(error, loading)
        requests = ", ".join(filter(None, REQUESTS_AT_WORK.get()())) or "no request"
        log.error("error %s in %s: %s", wrapped.error_id, requests, wrapped.user_message, exc_info=error)
        raise wrapped from error


def out_of_memory(work: Callable[[], None]) -> OutOfMemory | None:
    """Do `work`. Return the error if memory ran out; raise any other error.

    The error is returned without its traceback, which would keep the tensors of the failed work alive while the next
    attempt needs their memory.
    """
    try:
        with wrap_library_errors():
            work()
    except OutOfMemory as error:
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    return None


def _wrap(error: Exception, loading: str) -> InferenceError:
    if is_out_of_memory(error):
        return OutOfMemory("The model ran out of memory. Try a smaller size, fewer pictures or a shorter text.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ModelUnavailable("The bot's disk is full, so the model can't be stored. Its operator has to make room.")
    if loading:
        return ModelUnavailable("{name} could not be loaded. Its operator finds the reason in the log.", name=loading)
    return GenerationFailed("The model failed on this request. Try again, or change the request a little.")


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out: OutOfMemoryError on CUDA and MPS, RuntimeError from the CPU allocator."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )
