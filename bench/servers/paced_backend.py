"""A backend whose models take the time that real ones take, and the processor none: they are not what is measured."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

from inference import (
    Answer,
    AskRequest,
    CompleteRequest,
    Completion,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    ModelSpec,
    PartialText,
    Progress,
    Queued,
    Request,
    Result,
    Started,
)

TEXT, ANSWER = "lantern", "the harbour"
"""Words that are in each text, and in each answer to a question."""

SIDE = 280
"""The side of a picture, whose pixels are noise: its file has as many bytes as one of 512² with something on it."""

_TOKENS, _STEPS = 40, 25
_WAITING = 0.2
_PAUSES = {"token": 0.05, "reading": 0.3, "step": 0.16}
"""Seconds of each, as on a GPU that many share."""

Events = Iterator[tuple[float, Any]]
"""Events, each with the seconds before it."""


class PacedBackend:
    """The part of a backend that `/complete`, `/ask` and `/imagine` need, with as many devices as there are requests.

    `speed` divides all times.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._picture = _picture()

    def schedule(self, spec: ModelSpec, request: Request, listener: Any, request_id: str = "") -> _Ticket:
        return _Ticket(asyncio.create_task(self._run(self._events(request), listener)))

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        return None

    def loaded(self, spec: ModelSpec) -> bool:
        return spec.task != "caption"

    def answers_about_pictures(self, spec: ModelSpec) -> bool:
        return False

    async def statuses(self, specs: list[ModelSpec]) -> list[Any]:
        return []

    def device_problems(self, *, probe: bool = False) -> list[str]:
        return []

    async def close(self) -> None:
        """Do nothing: the loop ends what still runs."""

    async def _run(self, events: Events, listener: Any) -> None:
        for pause, event in events:
            await asyncio.sleep(pause / self._speed)
            listener(event)

    def _events(self, request: Request) -> Events:
        yield 0.0, Queued(1, _WAITING)
        yield _WAITING, Started()
        yield from self._work(request)

    def _work(self, request: Request) -> Events:
        match request:
            case CompleteRequest():
                for token in range(1, _TOKENS):
                    yield _PAUSES["token"], PartialText(f" {TEXT}" * token)
                yield _PAUSES["token"], Result(Completion(f" {TEXT}" * _TOKENS, request.seed or 0))
            case AskRequest():
                begin = request.context.index(ANSWER)
                yield _PAUSES["reading"], Result(Answer(ANSWER, 0.9, begin, begin + len(ANSWER)))
            case ImagineRequest():
                for step in range(1, _STEPS):
                    yield _PAUSES["step"], Progress(step, _STEPS, picture=1, pictures=1)
                image = GeneratedImage(self._picture, request.seed or 0)
                yield _PAUSES["step"], Result(ImageResult((image,), SIDE, SIDE, _STEPS, 7.5, "DDIM"))
            case _:
                raise TypeError(type(request).__name__)


class _Ticket:
    units = _TOKENS
    device = "cpu"

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    def cancel(self) -> None:
        self._task.cancel()


def _picture() -> bytes:
    from PIL import Image

    from inference.images.decoding import encode_png

    return encode_png(Image.frombytes("RGB", (SIDE, SIDE), os.urandom(3 * SIDE * SIDE)), "a picture")
