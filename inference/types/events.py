"""Events that a caller receives while a request is processed, and the base class of results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits. `position` 1 is next; `eta` is the number of seconds until it starts, if known.

    With `device_is_away` no device that could run it is there, and it waits until one is.
    """

    position: int
    eta: float | None = None
    device_is_away: bool = False


@dataclass(frozen=True, slots=True)
class Loading:
    """The model's files are being downloaded (`fraction` from 0 to 1) or loaded (`fraction` is None)."""

    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The model is loaded and starts with the request."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` of `total` steps are done. `preview` is a small image (PNG) for tasks with previews.

    Of a request for `pictures`, all of equally many steps, number `picture` is being drawn, with the next ones if it is
    drawn `together` with others of the request.
    """

    step: int
    total: int
    preview: bytes | None = None
    picture: int = 0
    pictures: int = 0
    together: int = 1

    @property
    def step_of_picture(self) -> tuple[int, int]:
        """Return the number of steps done of each picture that is being drawn, and how many it needs."""
        each = self.total // max(1, self.pictures)
        return (self.step - each * (self.picture - 1)) // self.together, each


@dataclass(frozen=True, slots=True)
class PartialText:
    """The complete text so far, not only the new part, so that only the latest event matters.

    With several texts it is the first one. `chat` is as in `Completion`. `thoughts` are as in `ChatReply`: while the
    model thinks, they grow and the text is empty.
    """

    text: str
    chat: bool = False
    thoughts: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """The result of a request. Subclasses are in `inference.tasks`, beside their requests."""

    @property
    def charged(self) -> float:
        """Return the share of the work that counts against the person who asked, from 0 to 1."""
        return 1.0

    def written_texts(self) -> tuple[str, ...]:
        """Return every text in it that a model wrote: what the text classifier has to accept."""
        return ()


@dataclass(frozen=True, slots=True)
class Result:
    """The last event of every successful request."""

    output: Output


Event = Queued | Loading | Started | Progress | PartialText | Result

LoadProgress = Callable[[float | None], None]
"""Called with the downloaded fraction (0 to 1), or with None while the model is loaded from disk."""
