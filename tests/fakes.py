"""A fake backend that answers immediately, from a script, for the tests of the cogs and of the engine.

backend = FakeBackend()
backend.script = lambda spec, request: [Queued(3, 40.0), Result(Completion("…", 7))]
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

from inference import infotext
from inference.backends.backend import Listener, ModelStatus, QueueStatus
from inference.config.models import ModelEntry
from inference.config.schema import Config
from inference.images.decoding import encode_png
from inference.observers import Observers
from inference.tasks import (
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    ChatReply,
    ChatRequest,
    Classification,
    ClassifyPicturesRequest,
    ClassifyTextsRequest,
    CompleteRequest,
    Completion,
    EditRequest,
    FastMode,
    FillMaskResult,
    FillRequest,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    JointPrediction,
    Mood,
    Prediction,
    Request,
    SentimentRequest,
    SentimentResult,
    SummarizeRequest,
    Summary,
    UpscaledImage,
    UpscaleRequest,
)
from inference.tasks.fill import split_at_blanks
from inference.types import Event, LoadProgress, ModelSpec, PartialText, Result
from inference.types.errors import InferenceError, ModelUnavailable
from inference.types.observations import DeviceUsed
from storage import Store

Script = Callable[[ModelSpec, Request], Sequence[Event | InferenceError]]


@dataclass
class FakeTicket:
    cancelled: bool = False
    units: int = 0
    device: str = "cpu"

    waits: bool = True
    """Whether `withdraw` succeeds."""

    def cancel(self) -> None:
        self.cancelled = True

    async def withdraw(self) -> bool:
        return self.waits


def plausible(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
    """Return a valid answer for any task, computed from the request alone."""
    match request:
        case ChatRequest():
            return [
                PartialText("Well", chat=True),
                Result(ChatReply("Well met.", request.seed or 0, "stop", raw="Well met.")),
            ]
        case CompleteRequest():
            return [PartialText(" and"), PartialText(" and then"), Result(Completion(" and then", request.seed or 0))]
        case FillRequest():
            return [Result(fill_mask_result(request.text))]
        case SummarizeRequest():
            return [Result(Summary("In short: " + request.text[:20], 1))]
        case AskRequest():
            word = request.context.split()[0]
            return [Result(Answer(word, 0.9, 0, len(word)))]
        case ChatAnswerRequest():
            return [PartialText("Because"), Result(Answer("Because it is so.", 0.0, 0, 0, generated=True))]
        case CaptionRequest():
            return [Result(Caption("a cat on a mat"))]
        case ImagineRequest():
            return [Result(drawn(request))]
        case UpscaleRequest():
            return [Result(enlarged(request))]
        case SentimentRequest():
            return [Result(SentimentResult(tuple(Mood("positive", 0.98, 0.96) for _ in request.texts)))]
        case ClassifyTextsRequest():
            return [Result(Classification(("neutral", "toxic"), ((0.9, 0.1),) * len(request.texts), exclusive=True))]
        case ClassifyPicturesRequest():
            return [Result(Classification(("normal", "nsfw"), ((0.9, 0.1),) * len(request.pictures), exclusive=True))]
        case _:
            raise TypeError(type(request).__name__)


def fill_mask_result(text: str) -> FillMaskResult:
    """Return a result with the same predictions for every blank."""
    words = (("role", 0.6), ("fashion", 0.3), ("new", 0.1))
    pieces = split_at_blanks(text)
    predictions = tuple(Prediction(word, score, word.join(pieces)) for word, score in words)
    count = len(pieces) - 1
    joint = (
        tuple(JointPrediction((word,) * count, score, word.join(pieces)) for word, score in words) if count > 1 else ()
    )
    return FillMaskResult((predictions,) * count, predictions[0].text, joint)


def drawn(request: ImagineRequest) -> ImageResult:
    """Return pictures of 64 × 64 pixels, each in its own colour and with its parameters in the PNG file."""
    edits = isinstance(request, EditRequest)
    strength = (request.strength or 0.75) if request.image and not edits else None
    fast = request.fast and FastMode(request.fast.guidance_end or 0.5, request.fast.cache_interval or 2)
    settings = ImageResult(
        (), 64, 64, request.steps or 25, request.guidance_scale or 7.5, request.sampler or "DDIM", strength, fast
    )
    if edits:
        settings = replace(settings, sampler="", image_guidance_scale=request.image_guidance_scale or 1.5)
    return replace(settings, pictures=tuple(_picture(request, settings, i) for i in range(request.count)))


def enlarged(request: UpscaleRequest) -> UpscaledImage:
    """Return the picture twice as wide and high, with its parameters in the PNG file."""
    given = Image.open(BytesIO(request.image)).convert("RGB")
    result = given.resize((2 * given.width, 2 * given.height))
    return UpscaledImage(encode_png(result, request.parameters), *result.size, *given.size)


def _picture(request: ImagineRequest, settings: ImageResult, index: int) -> GeneratedImage:
    seed, variations = request.seed or 0, request.variations
    if variations:
        variations = (*variations[:-1], replace(variations[-1], seed=variations[-1].seed + index))
    else:
        seed += index
    colour = Random(repr((request.prompt, seed, variations))).randbytes(3)
    text = infotext.to_text(infotext.repeatable(request, settings, seed, variations))
    return GeneratedImage(encode_png(Image.new("RGB", (64, 64), tuple(colour)), text), seed, variations=variations)


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc000000301010018dd8db00000000049454e44ae426082"
)
"""A PNG file with one red pixel."""


@dataclass
class FakeBackend:
    """Implement `Backend` without torch, and record every request, with its id, listener and ticket."""

    script: Script = plausible
    requests: list[Request] = field(default_factory=list[Request])
    """The requests, without their groups, which are apart: most tests are about neither server nor id."""
    groups: list[str] = field(default_factory=list[str])
    request_ids: list[str] = field(default_factory=list[str])
    listeners: list[Listener] = field(default_factory=list[Listener])
    tickets: list[FakeTicket] = field(default_factory=list[FakeTicket])
    waiting: int = 0
    in_memory: set[str] = field(default_factory=set[str])
    """Names of the models that `loaded` reports as loaded."""
    seeing: dict[str, bool | None] = field(default_factory=dict[str, bool | None])
    """What `answers_about_pictures` reports of the models, by name; False for others."""
    seconds_per_work: float | None = None
    """What `expected_seconds` takes for one unit of work; None if it does not know."""
    seconds_used: float = 0.0
    """What each request that has a result is reported to have used of the device."""
    observers: Observers = field(default_factory=Observers)
    """To be passed to the engine, which then hears of `use`."""
    closed: bool = False
    wrong: list[str] = field(default_factory=list[str])
    """What `problems` and `problems_of` find."""
    lacking: list[str] = field(default_factory=list[str])
    """What `device_problems` finds."""
    unusable: dict[str, str] = field(default_factory=dict[str, str])
    """Why models can't be used, by name, as `statuses` says it."""
    applied: list[Config] = field(default_factory=list[Config])
    """The configs that `apply` was called with."""
    paused: bool = False
    downloaded: list[str] = field(default_factory=list[str])
    forgotten: list[str] = field(default_factory=list[str])
    """The owners that `forget_owner` was called with."""
    charged: list[DeviceUsed] = field(default_factory=list[DeviceUsed])
    """What `charge` was called with."""

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> FakeTicket:
        self.requests.append(replace(request, group=""))
        self.groups.append(request.group)
        self.request_ids.append(request_id)
        self.listeners.append(listener)
        loop = asyncio.get_running_loop()
        for event in self.script(spec, request):
            loop.call_soon(listener, event)
            if isinstance(event, Result) and self.seconds_used:
                loop.call_soon(self.use, request.owner, request.group, self.seconds_used)
        ticket = FakeTicket()
        self.tickets.append(ticket)
        return ticket

    def use(self, owner: object, group: object, seconds: float) -> None:
        """Report that a request of `owner` in `group` has used the device."""
        self.observers(DeviceUsed("cpu", str(owner), str(group), seconds))

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        return None if self.seconds_per_work is None else self.seconds_per_work * request.work

    def queues(self) -> list[QueueStatus]:
        loaded = tuple((name, 500 * 10**6) for name in sorted(self.in_memory))
        return [QueueStatus("cpu", self.waiting, int(self.waiting > 0), 12.0 * self.waiting, loaded, 8 * 10**9)]

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        return self.queues()[0]

    def charge(self, use: DeviceUsed) -> None:
        self.charged.append(use)

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        return [spec]

    def loaded(self, spec: ModelSpec) -> bool:
        return spec.name in self.in_memory

    def answers_about_pictures(self, spec: ModelSpec) -> bool | None:
        return self.seeing.get(spec.name, False)

    async def require_device(self, spec: ModelSpec) -> None:
        if spec.name in self.unusable:
            raise ModelUnavailable(self.unusable[spec.name])

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        return [ModelStatus(spec, "on disk", 500 * 10**6, problem=self.unusable.get(spec.name, "")) for spec in specs]

    def problems(self) -> list[str]:
        return self.wrong

    def device_problems(self, *, probe: bool = False) -> list[str]:
        return self.lacking

    async def problems_of(self, config: Config) -> list[str]:
        return self.wrong

    def apply(self, config: Config) -> None:
        self.applied.append(config)

    def pause(self, paused: bool) -> None:
        self.paused = paused

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        on_progress(0.5)
        self.in_memory.add(spec.name)

    async def unload(self, spec: ModelSpec) -> bool:
        loaded = spec.name in self.in_memory
        self.in_memory.discard(spec.name)
        return loaded

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        on_progress(0.5)
        self.downloaded.append(spec.name)

    async def forget_owner(self, owner: str) -> None:
        self.forgotten.append(owner)

    async def close(self) -> None:
        self.closed = True


def model_lists(**lists: Sequence[Any]) -> dict[str, tuple[ModelEntry, ...]]:
    """Return the `models` of a config. An entry is a hub id, a map of options, or a ModelEntry."""
    return Config.model_validate({"models": lists}).models


async def kept_of(store: Store, owner: int) -> dict[str, Any]:
    """Return everything that the store has about one person, as plain data."""
    return {
        "settings": await store.settings.export_of(owner),
        "images": await store.images.export_of(owner),
        "completions": await store.completions.export_of(owner),
        "sent_answers": await store.sent_answers.export_of(owner),
    }


async def forget_all_of(store: Store, owner: int) -> None:
    """Delete everything that the store has about one person."""
    answers = (store.answers, store.sent_answers, store.thoughts)
    for table in (store.settings, store.images, store.completions, *answers, store.reports):
        await table.forget_owner(owner)
