"""What a caller is told while a request is on its way, and in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inference.types.output import Output


@dataclass(frozen=True, slots=True)
class Queued:
    """`position` counts from 1, the next to run; `eta` is seconds until it starts, when known."""

    position: int
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Loading:
    """The model's files are being fetched (`fraction` from 0 to 1) or read (`fraction` is None)."""

    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The model is there, and works on the request from now on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` of `total` is done; `preview` is a small picture (PNG) where the task has one."""

    step: int
    total: int
    preview: bytes | None = None


@dataclass(frozen=True, slots=True)
class PartialText:
    """All the text so far (not just what is new), so that only the latest one matters.

    Of several texts it is the first one; `chat` as in `Completion`.
    """

    text: str
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The last event of every request that succeeds."""

    output: Output


Event = Queued | Loading | Started | Progress | PartialText | Result

LoadProgress = Callable[[float | None], None]
"""Told the fraction fetched (0 to 1) while downloading, None while reading from disk."""
