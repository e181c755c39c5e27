"""The contract between a device thread and a model, and the one place where foreign errors become ours.

A pipeline is a loaded model. It gets a `Batch` of jobs whose requests share a batch key and ends each
of them, by `finish` or `fail`, in its own time: a language model ends them one by one, as they reach
their last token. What it must not do is block for long without calling `batch.yield_point()`.
"""

from __future__ import annotations

import errno
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from inference.tasks import Request
from inference.types import Event, ModelSpec, Output
from inference.types.errors import GenerationFailed, InferenceError, ModelUnavailable, OutOfMemory, RequestCancelled

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

log = logging.getLogger(__name__)


class Job(Protocol):
    """One caller's request inside a batch. Every method may be called from the device thread."""

    @property
    def request(self) -> Request: ...

    @property
    def cancelled(self) -> bool:
        """The caller has gone (or the deadline passed); nothing that is emitted will be seen."""
        ...

    def emit(self, event: Event) -> None: ...

    def finish(self, value: Output) -> None: ...

    def fail(self, error: InferenceError) -> None: ...


class Batch(Protocol):
    """Jobs for one model that may run together."""

    @property
    def jobs(self) -> Sequence[Job]: ...

    def yield_point(self) -> None:
        """Run waiting short requests, then raise RequestCancelled if every job here has gone."""
        ...

    def free_memory(self) -> None:
        """Give the device back what nobody uses, idle models included; for when memory ran out."""
        ...

    def join(self, room: int) -> Sequence[Job]:
        """Take up to `room` more compatible jobs that arrived since; they belong to the batch from now on."""
        ...


class Pipeline(ABC):
    """A loaded model; lives on one device thread."""

    nbytes: int
    """Memory taken by the weights."""

    @classmethod
    @abstractmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Read the model's files onto its device.

        May raise anything: `wrap_library_errors` turns it into ModelUnavailable.
        """

    @abstractmethod
    def run(self, batch: Batch) -> None:
        """Finish or fail every job that has not been cancelled. May raise: the backend fails what is left."""


def run_each(batch: Batch, answer: Callable[[Request], Output]) -> None:
    """Answer the requests one after another, a failure ending only its own job."""
    run_jobs(batch, lambda job: answer(job.request))


def run_jobs(batch: Batch, answer: Callable[[Job], Output]) -> None:
    """`run_each` for work so long that it reports progress, and pauses, while it runs."""
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
    """A checkpoint in the middle of one job; raises RequestCancelled when its own caller has gone."""
    batch.yield_point()
    if job.cancelled:
        raise RequestCancelled("This request was cancelled.")


@contextmanager
def wrap_library_errors(loading: str = "") -> Generator[None]:
    """Turn whatever a library raises into an InferenceError; `loading` names the model while it loads."""
    try:
        yield
    except InferenceError:
        raise
    except Exception as error:
        ours = _wrapped(error, loading)
        log.error("error %s: %s", ours.error_id, ours.user_message, exc_info=error)
        raise ours from error


def out_of_memory(work: Callable[[], None]) -> OutOfMemory | None:
    """Do `work`; the error if memory ran out, any other is raised.

    It is returned, not raised, and without its traceback: that would hold on to the failed work's tensors
    while the next try needs their memory.
    """
    try:
        with wrap_library_errors():
            work()
    except OutOfMemory as error:
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    return None


def _wrapped(error: Exception, loading: str) -> InferenceError:
    if _is_out_of_memory(error):
        return OutOfMemory("The model ran out of memory. Try a smaller size, fewer pictures or a shorter text.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ModelUnavailable("The bot's disk is full, so the model can't be stored. Its operator has to make room.")
    if loading:
        return ModelUnavailable("{name} could not be loaded. Its operator finds the reason in the log.", name=loading)
    return GenerationFailed("The model failed on this request. Try again, or change the request a little.")


def _is_out_of_memory(error: Exception) -> bool:
    """torch raises OutOfMemoryError on CUDA and MPS, a RuntimeError from the CPU allocator."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )
