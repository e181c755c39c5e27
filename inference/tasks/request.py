"""What every request shares: whose it is, how it is batched and charged, and how it is checked."""

from __future__ import annotations

from collections.abc import Hashable, Set
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

from inference.config.limits import Limits, SafetySection
from inference.types import ModelSpec

WRITING = "writing"
"""The batch key of all that language models write: such texts grow together, whatever they are for."""

MOST_SHORT_WORK = 8.0
"""The most that is read between two steps of a long job, in pieces of 1500 characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What one caller wants of one model; a subclass for each kind of work.

    `model` is a name from the config, or empty for the task's first model. `owner` is whose share of the queue the
    request uses.
    """

    task: ClassVar[str]
    """The name of the task whose models serve it."""

    inputs: ClassVar[tuple[str, ...]] = ()
    """Fields whose content may have to be fetched first: files, pictures, long texts."""

    model: str = ""
    owner: str = ""

    @property
    def batch_key(self) -> Hashable:
        """Requests for one model with equal keys may run in one batch."""
        return self.task

    @property
    def work(self) -> float:
        """How much there is to do, in a unit of the task's own; the scheduler learns seconds a unit."""
        return 1.0

    @property
    def short(self) -> bool:
        """Whether the work is brief enough to run between two steps of a long job."""
        return False

    def check(self, limits: Limits, safety: SafetySection, pending: Set[str] = frozenset()) -> None:
        """Check everything but the inputs that are still `pending`; raise InvalidRequest."""
        self.check_options(limits, safety, self.given_inputs() | pending)
        if not pending:
            self.check_inputs(limits)

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        """Check all but the inputs, in microseconds; raise InvalidRequest.

        `given` has the names of the inputs that are there, or will be fetched.
        """

    def check_inputs(self, limits: Limits) -> None:
        """Check the inputs from memory, in microseconds; raise InvalidRequest."""

    def decode_inputs(self, limits: Limits) -> None:
        """Decode the pictures among the inputs, which takes time; raise InvalidRequest."""

    def resolved(self, spec: ModelSpec) -> Self:
        """Return the request with everything filled in that the model's settings say, and a seed."""
        return self

    def given_inputs(self) -> frozenset[str]:
        """Return the names of the inputs that have content."""
        return frozenset(name for name in self.inputs if getattr(self, name))


R = TypeVar("R", bound=Request, covariant=True)


@dataclass(frozen=True, slots=True)
class CheckedRequest(Generic[R]):
    """A request that passed every check, with the model that will serve it: the only thing an engine runs.

    `pending` has the inputs that are still to be fetched (see `Engine.with_inputs`).
    """

    request: R
    spec: ModelSpec
    pending: frozenset[str] = frozenset()
