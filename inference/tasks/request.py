"""The base class of requests: owner, batching, cost and checks."""

from __future__ import annotations

from collections.abc import Hashable, Set
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, Self, TypeVar

from inference.limits import Limits, SafetySection
from inference.tasks.checks import refuse_words
from inference.types import ModelSpec

GENERATION_BATCH_KEY = "generation"
"""The batch key of all requests that generate text: they share batches across tasks."""

MAX_SHORT_WORK = 8.0
"""The maximum work between two steps of a long job, in pieces of 1500 characters."""

TextSource = Literal["typed", "chosen", "channel"]
"""Where a text comes from: typed, chosen (files, or messages that somebody picked), or all last messages of a channel.

The operator's word list applies to typed texts, and the text classifier to chosen ones too. Neither applies to the
messages of a channel: otherwise one message would keep everybody from a summary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request of a caller to one model. Each kind of work has a subclass.

    `model` is a name from the config, or empty for the task's first model. `owner` identifies whose share of the queue
    is used, and `group` to whom the owner belongs, such as a Discord server, whose share counts too.
    """

    task: ClassVar[str]
    """The name of the task whose models serve the request."""

    inputs: ClassVar[tuple[str, ...]] = ()
    """Fields whose content may have to be fetched first: files, images, long texts."""

    limited: ClassVar[bool] = True
    """Whether the request is refused if the queue is full, and waits during a pause.

    Those that belong to an accepted request are not and do not: its answer waits for them.
    """

    starts_alone: ClassVar[bool] = False
    """Whether its batch starts with this request alone, since only some models run several such requests together.

    Their pipelines take more by `Batch.join`.
    """

    model: str = ""
    owner: str = ""
    group: str = ""

    @property
    def batch_key(self) -> Hashable:
        """Return the batch key: requests for one model with equal keys may run in one batch."""
        return self.task

    @property
    def work(self) -> float:
        """Return the amount of work, in a unit of the task. The scheduler learns the seconds per unit."""
        return 1.0

    @property
    def short(self) -> bool:
        """Return whether the work is short enough to run between two steps of a long job."""
        return False

    def check(self, limits: Limits, safety: SafetySection, pending: Set[str] = frozenset()) -> None:
        """Check everything except inputs that are still `pending`. Raise InvalidRequest."""
        self.check_options(limits, safety, self.given_inputs() | pending)
        if not pending:
            self.check_inputs(limits)
        refuse_words(self.typed_texts(), safety.words)

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        """Check everything except the inputs, within microseconds. Raise InvalidRequest.

        `given` has the names of inputs that are set or will be fetched.
        """

    def check_inputs(self, limits: Limits) -> None:
        """Check the inputs without decoding, within microseconds. Raise InvalidRequest."""

    def decode_inputs(self, limits: Limits) -> None:
        """Decode the images among the inputs, which takes time. Raise InvalidRequest."""

    def typed_texts(self) -> tuple[str, ...]:
        """Return the texts that somebody typed, to which the operator's word list applies."""
        return ()

    def given_texts(self) -> tuple[str, ...]:
        """Return every text that somebody gives to the model: what the text classifier has to accept."""
        return self.typed_texts()

    def given_pictures(self) -> tuple[bytes, ...]:
        """Return the image files that somebody gives to the model: what the picture classifier has to accept."""
        return ()

    def normalized(self) -> Self:
        """Return the request with what its texts say about its other fields moved there."""
        return self

    def resolved(self, spec: ModelSpec) -> Self:
        """Return the request with the model's settings filled in, and with a seed."""
        return self

    def asks_about_picture(self, given: Set[str]) -> bool:
        """Return whether only models that answer questions about pictures may serve it. `given` as above."""
        return False

    def given_inputs(self) -> frozenset[str]:
        """Return the names of the inputs that have content."""
        return frozenset(name for name in self.inputs if getattr(self, name))


R = TypeVar("R", bound=Request, covariant=True)


@dataclass(frozen=True, slots=True)
class CheckedRequest(Generic[R]):
    """A request that passed all checks, with its model. Engines run nothing else.

    `pending` has the names of inputs that are still to be fetched (see `Engine.with_inputs`).
    """

    request: R
    spec: ModelSpec
    pending: frozenset[str] = frozenset()
