"""A fake backend with classifiers that object to bad things, for the tests of content moderation."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field

from PIL import Image

from inference import (
    Config,
    Engine,
    Event,
    InferenceError,
    ModelSpec,
    Queued,
    Request,
    Result,
    Started,
)
from inference.images.decoding import encode_png
from inference.tasks import Classification, ClassifyPicturesRequest, ClassifyTextsRequest
from tests.fakes import FakeBackend, model_lists, plausible

MODELS = model_lists(
    **{task: [f"org/{task}"] for task in ("complete", "fill", "summarize", "ask", "caption", "imagine", "edit", "mood")}
)
BAD_PICTURE = b"a bad picture"
OTHER_PNG = encode_png(Image.new("RGB", (2, 2)))


def config(**safety: object) -> Config:
    checks = {"pictures": "org/eyes", "texts": {"repo": "org/ears", "threshold": 0.7}}
    return Config.model_validate({"models": MODELS, "safety": checks | safety})


def probability(*, objects: bool) -> tuple[float, float]:
    return (0.1, 0.9) if objects else (0.9, 0.1)


def verdict(request: Request, bad_picture: bytes = BAD_PICTURE) -> Classification | None:
    """Object to texts with the word "bad", and to one picture. Return None for requests of other models."""
    match request:
        case ClassifyTextsRequest():
            rows = tuple(probability(objects="bad" in text) for text in request.texts)
            return Classification(("neutral", "toxic"), rows, exclusive=True)
        case ClassifyPicturesRequest():
            rows = tuple(probability(objects=picture == bad_picture) for picture in request.pictures)
            return Classification(("normal", "nsfw"), rows, exclusive=True)
        case _:
            return None


@dataclass
class Model(FakeBackend):
    """A backend whose classifiers object to bad things, and whose other models give this `outcome`."""

    outcome: list[Event | InferenceError] = field(default_factory=list[Event | InferenceError])
    bad_picture: bytes = BAD_PICTURE

    def __post_init__(self) -> None:
        self.script = self._answer

    def _answer(self, spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        if found := verdict(request, self.bad_picture):
            return [Queued(3), Started(), Result(found)]
        return self.outcome or list(plausible(spec, request))

    @property
    def served(self) -> list[Request]:
        """The requests that reached other models than classifiers."""
        return [request for request in self.requests if verdict(request) is None]


async def collect(engine: Engine, request: Request) -> list[Event]:
    async with aclosing(engine.stream(engine.check(request))) as events:
        return [event async for event in events]
