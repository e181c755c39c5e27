"""Test the operator's classifiers: what goes in, what comes out, and what nobody sees before it was checked."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from PIL import Image

from inference import (
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    CompleteRequest,
    Completion,
    Config,
    Engine,
    Event,
    FillRequest,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    InferenceError,
    InvalidRequest,
    Loading,
    Message,
    ModelSpec,
    ModelUnavailable,
    OutputWithheld,
    PartialText,
    Progress,
    Queued,
    Request,
    RequestCancelled,
    RequestTimeout,
    Result,
    SentimentRequest,
    Started,
    SummarizeRequest,
    Summary,
)
from inference.backends.backend import Listener
from inference.backends.local_job import LocalJob
from inference.content_moderation import ContentModeration
from inference.images.decoding import encode_png
from inference.pipelines.pipeline import Batch
from inference.tasks import Classification, ClassifyPicturesRequest, ClassifyTextsRequest, Section
from tests.fakes import PNG, FakeBackend, model_lists, plausible
from tests.inference.backends.scripted import Caller, WorkerHarness, answer_all, wait_for
from tests.waiting import until

MODELS = model_lists(
    **{task: [f"org/{task}"] for task in ("complete", "fill", "summarize", "ask", "caption", "imagine", "mood")}
)
BAD_PICTURE = b"a bad picture"
OTHER_PNG = encode_png(Image.new("RGB", (2, 2)))


def config(**safety: object) -> Config:
    checks = {"pictures": "org/eyes", "texts": {"repo": "org/ears", "threshold": 0.7}}
    return Config.model_validate({"models": MODELS, "safety": checks | safety})


def probability(*, objects: bool) -> tuple[float, float]:
    return (0.1, 0.9) if objects else (0.9, 0.1)


def verdict(request: Request) -> Classification | None:
    """Object to texts with the word "bad", and to one picture."""
    match request:
        case ClassifyTextsRequest():
            rows = tuple(probability(objects="bad" in text) for text in request.texts)
            return Classification(("neutral", "toxic"), rows, exclusive=True)
        case ClassifyPicturesRequest():
            rows = tuple(probability(objects=picture == BAD_PICTURE) for picture in request.pictures)
            return Classification(("normal", "nsfw"), rows, exclusive=True)
        case _:
            return None


@dataclass
class Model(FakeBackend):
    """A backend whose classifiers object to bad things, and whose other models give this `outcome`."""

    outcome: list[Event | InferenceError] = field(default_factory=list[Event | InferenceError])

    def __post_init__(self) -> None:
        self.script = self._answer

    def _answer(self, spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        if found := verdict(request):
            return [Queued(3), Started(), Result(found)]
        return self.outcome or list(plausible(spec, request))

    @property
    def served(self) -> list[Request]:
        """The requests that reached other models than classifiers."""
        return [request for request in self.requests if verdict(request) is None]


@pytest.fixture
def backend() -> Model:
    return Model()


@pytest.fixture
def engine(backend: Model) -> Engine:
    return Engine(config(), backend)


async def collect(engine: Engine, request: Request) -> list[Event]:
    async with aclosing(engine.stream(engine.check(request))) as events:
        return [event async for event in events]


GOOD_TEXTS: list[Request] = [
    CompleteRequest(prompt="Once"),
    FillRequest(text="A ___ day"),
    SummarizeRequest(text="Much ado"),
    AskRequest(question="Who?", context="Ann."),
    ChatAnswerRequest(question="Why?", context="So."),
    CaptionRequest(image=PNG),
    ImagineRequest(prompt="a fox", image=PNG),
    SentimentRequest(texts=("fine", "well")),
]

BAD_TEXTS: list[Request] = [
    CompleteRequest(prompt="bad"),
    CompleteRequest(prompt="Go on", messages=(Message("user", "bad"),)),
    FillRequest(text="A bad ___"),
    SummarizeRequest(text="bad"),
    SummarizeRequest(text="bad", text_source="chosen"),
    AskRequest(question="bad?", context="Ann."),
    AskRequest(question="Who?", context="bad"),
    AskRequest(question="bad?", context="Ann.", text_source="channel"),
    ChatAnswerRequest(question="bad?"),
    ChatAnswerRequest(question="Why?", context="bad"),
    ImagineRequest(prompt="bad"),
    ImagineRequest(prompt="a fox", negative_prompt="bad"),
    SentimentRequest(texts=("fine", "bad")),
]


@pytest.mark.parametrize("request_", GOOD_TEXTS, ids=lambda request: type(request).__name__)
async def test_what_no_classifier_objects_to_is_done_as_without_them(backend: Model, request_: Request) -> None:
    request_ = replace(request_, **({"seed": 7} if hasattr(request_, "seed") else {}))
    checked = await Engine(config(), backend).run(Engine(config(), backend).check(request_))
    plain = Engine(config(pictures=None, texts=None), backend)
    assert checked == await plain.run(plain.check(request_))


@pytest.mark.parametrize("request_", BAD_TEXTS, ids=lambda request: type(request).__name__)
async def test_no_model_gets_a_text_that_the_classifier_objects_to(
    engine: Engine, backend: Model, request_: Request
) -> None:
    with pytest.raises(InvalidRequest, match="classifier objects to this text, so no model gets it"):
        await collect(engine, request_)
    assert backend.served == []


async def test_the_messages_of_a_channel_are_read_whatever_they_say(engine: Engine, backend: Model) -> None:
    for request in (
        SummarizeRequest(text="bad, they said", text_source="channel"),
        SentimentRequest(texts=("bad",), text_source="channel"),
    ):
        backend.outcome = [Result(Summary("They argued.", 1))]
        await collect(engine, request)
    assert len(backend.served) == 2


@pytest.mark.parametrize(
    "request_",
    [
        ImagineRequest(prompt="a fox", image=PNG),
        ImagineRequest(prompt="a fox", image=OTHER_PNG, mask=PNG),
        CaptionRequest(image=PNG),
        ChatAnswerRequest(question="What is it?", image=PNG),
    ],
    ids=["a picture to start from", "a mask", "a picture to describe", "a picture to ask about"],
)
async def test_no_model_gets_a_picture_that_the_classifier_objects_to(
    engine: Engine, backend: Model, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.seeing = {"caption": True}
    monkeypatch.setitem(globals(), "BAD_PICTURE", PNG)
    with pytest.raises(InvalidRequest, match="classifier objects to this picture, so no model gets it"):
        await collect(engine, request_)
    assert backend.served == []


def images(*pictures: bytes) -> ImageResult:
    drawn = tuple(GeneratedImage(png, seed) for seed, png in enumerate(pictures))
    return ImageResult(drawn, 8, 8, 25, 7.5)


async def shown(engine: Engine, request: ImagineRequest) -> list[tuple[bytes, bool]]:
    output = await engine.run(engine.check(request))
    assert isinstance(output, ImageResult)
    return [(picture.png, picture.flagged) for picture in output.pictures]


async def test_of_several_pictures_only_the_one_that_the_classifier_objects_to_is_withheld(
    engine: Engine, backend: Model
) -> None:
    backend.outcome = [Result(images(b"fox", BAD_PICTURE, b"hen"))]
    assert await shown(engine, ImagineRequest(prompt="x", count=3)) == [(b"fox", False), (b"", True), (b"hen", False)]


async def test_where_flagged_pictures_are_shown_it_is_returned_with_its_flag(engine: Engine, backend: Model) -> None:
    backend.outcome = [Result(images(b"fox", BAD_PICTURE))]
    request = ImagineRequest(prompt="x", count=2, show_flagged=True)
    assert await shown(engine, request) == [(b"fox", False), (BAD_PICTURE, True)]


async def test_a_picture_that_the_models_own_checker_flags_stays_flagged(engine: Engine, backend: Model) -> None:
    flagged = (GeneratedImage(b"", 1, flagged=True), GeneratedImage(b"kept", 2, flagged=True), GeneratedImage(b"x", 3))
    backend.outcome = [Result(replace(images(), pictures=flagged))]
    assert await shown(engine, ImagineRequest(prompt="x", count=3)) == [(b"", True), (b"kept", True), (b"x", False)]


async def test_a_preview_is_shown_after_the_check_and_never_if_the_classifier_objects(
    engine: Engine, backend: Model
) -> None:
    backend.outcome = [Progress(1, 9, b"noise"), Progress(2, 9), Progress(3, 9, BAD_PICTURE)]
    events: list[Event] = []

    async def follow() -> None:
        async with aclosing(engine.stream(engine.check(ImagineRequest(prompt="x")))) as stream:
            async for event in stream:
                events.append(event)

    task = asyncio.create_task(follow())
    await until(lambda: len(events) == 4, "the checked preview was not shown")
    answer, backend.script = backend.script, lambda spec, request: []
    backend.listeners[1](Progress(4, 9, BAD_PICTURE))
    check = ClassifyPicturesRequest(pictures=(BAD_PICTURE,))
    assert backend.requests[3:] == [check]
    backend.listeners[3](Result(verdict(check)))  # type: ignore[arg-type]
    backend.script = answer
    backend.listeners[1](Progress(5, 9))
    backend.listeners[1](Result(images(b"fox")))
    await task
    progress = [event for event in events if isinstance(event, Progress)]
    assert [event.preview for event in progress if event.preview] == [b"noise"]
    assert [event.step for event in progress] == [1, 2, 3, 3, 4, 5]


WRITTEN: list[tuple[Request, Event]] = [
    (CompleteRequest(prompt="Once"), Result(Completion("bad", 7))),
    (CompleteRequest(prompt="Once", n=2), Result(Completion("fine", 7, choices=("bad",)))),
    (FillRequest(text="A ___ day"), plausible(ModelSpec(name="", task="", repo=""), FillRequest(text="bad ___"))[0]),  # type: ignore[list-item]
    (SummarizeRequest(text="x"), Result(Summary("bad", 1))),
    (SummarizeRequest(text="x"), Result(Summary("fine", 2, (Section("bad", 0, 1),)))),
    (AskRequest(question="Who?", context="x"), Result(Answer("bad", 0.9, 0, 1))),
    (
        AskRequest(question="Who?", context="x"),
        Result(Answer("Ann", 0.9, 0, 1, alternatives=(Answer("bad", 0.1, 0, 1),))),
    ),
    (ChatAnswerRequest(question="Why?"), Result(Answer("bad", 0, 0, 0, generated=True))),
    (CaptionRequest(image=PNG), Result(Caption("bad"))),
]


@pytest.mark.parametrize(("request_", "result"), WRITTEN, ids=lambda each: type(each).__name__)
async def test_a_written_text_that_the_classifier_objects_to_is_withheld(
    engine: Engine, backend: Model, request_: Request, result: Event
) -> None:
    backend.outcome = [result]
    with pytest.raises(OutputWithheld, match="objects to what the model wrote, so it is not shown"):
        await collect(engine, request_)
    assert len(backend.served) == 1


class Writer:
    """A stream of a text that the test writes, and the events that reached the caller."""

    def __init__(self, engine: Engine, backend: Model) -> None:
        self.backend = backend
        backend.outcome = [Started()]
        self.events: list[Event] = []
        self.task = asyncio.create_task(self._follow(engine))

    async def _follow(self, engine: Engine) -> None:
        async with aclosing(engine.stream(engine.check(CompleteRequest(prompt="Once")))) as stream:
            async for event in stream:
                self.events.append(event)

    async def write(self, event: Event) -> None:
        await until(lambda: Started() in self.events, "the model did not start")
        self.backend.listeners[1](event)  # the first is that of the check of the prompt

    async def is_withheld(self) -> None:
        await until(self.task.done, "the text was not withheld")
        with pytest.raises(OutputWithheld):
            await self.task

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, PartialText)]


async def test_a_growing_text_is_shown_up_to_its_last_sentence_that_was_checked(engine: Engine, backend: Model) -> None:
    writer = Writer(engine, backend)
    await writer.write(PartialText("One day"))
    await writer.write(PartialText("One day it rained. Then", chat=True))
    await until(lambda: writer.texts == ["One day it rained. "], "the first sentence was not shown")
    await writer.write(PartialText("One day it rained. Then the sun came. It"))
    await until(
        lambda: writer.texts[1:] == ["One day it rained. Then the sun came. "], "the second sentence was not shown"
    )
    await writer.write(Result(Completion("One day it rained. Then the sun came. It", 7)))
    await writer.task
    assert writer.events[-1] == Result(Completion("One day it rained. Then the sun came. It", 7))
    assert len(backend.requests) == 5  # the prompt, the request, two sentences, the whole text


async def test_no_one_sees_a_sentence_that_the_classifier_objects_to_and_the_model_stops(
    engine: Engine, backend: Model
) -> None:
    writer = Writer(engine, backend)
    await writer.write(PartialText("It rained. A"))
    await until(lambda: writer.texts == ["It rained. "], "the first sentence was not shown")
    await writer.write(PartialText("It rained. A bad thing came. Then"))
    await writer.is_withheld()
    assert writer.texts == ["It rained. "]
    assert backend.tickets[1].cancelled


LONG = "a word " * 400
"""2,800 characters without the end of a sentence."""


@pytest.mark.parametrize("start", ["A bad thing, then ", "A thing, then "])
async def test_all_of_a_long_first_sentence_is_checked(engine: Engine, backend: Model, start: str) -> None:
    writer = Writer(engine, backend)
    await writer.write(PartialText(f"{start}{LONG}. Then"))
    if "bad" in start:
        await writer.is_withheld()
        assert writer.texts == []
    else:
        await until(lambda: writer.texts == [f"{start}{LONG}. "], "the text was not shown")
        await writer.stop()


async def test_all_that_was_written_during_a_slow_check_is_checked_with_the_text_before_it(
    engine: Engine, backend: Model
) -> None:
    writer = Writer(engine, backend)
    await until(lambda: Started() in writer.events, "the model did not start")
    answer = backend.script
    backend.script = lambda spec, request: []
    await writer.write(PartialText("It rained. Then"))
    backend.script = answer
    text = f"It rained. A bad thing came. {LONG}. Then"
    await writer.write(PartialText(text))
    backend.listeners[2](Result(Classification(("neutral", "toxic"), (probability(objects=False),), exclusive=True)))
    await writer.is_withheld()
    assert writer.texts == ["It rained. "]
    assert backend.requests[3] == ClassifyTextsRequest(texts=(text.removesuffix("Then"),))


async def test_of_what_was_checked_before_only_the_end_is_checked_again(engine: Engine, backend: Model) -> None:
    writer = Writer(engine, backend)
    await writer.write(PartialText(f"{LONG}. Then"))
    await until(lambda: len(writer.texts) == 1, "the first sentence was not shown")
    await writer.write(PartialText(f"{LONG}. Then it rained. It"))
    await until(lambda: len(writer.texts) == 2, "the second sentence was not shown")
    assert backend.requests[3] == ClassifyTextsRequest(texts=(f"{LONG}. "[-2000:] + "Then it rained. ",))
    await writer.stop()


class WorkerBackend(FakeBackend):
    """A backend with a real device worker."""

    def __init__(self, harness: WorkerHarness) -> None:
        super().__init__()
        self._worker = harness.worker

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> Any:
        job = LocalJob(spec, request, listener, asyncio.get_running_loop(), request_id)
        self._worker.submit(job)
        return job


async def test_during_a_pause_a_running_request_is_checked_to_its_end_and_nothing_else_starts(
    harness: WorkerHarness,
) -> None:
    started, paused, shown = (threading.Event() for _ in range(3))

    def write(batch: Batch) -> None:
        (job,) = batch.jobs
        if found := verdict(job.request):
            job.finish(found)
            return
        started.set()
        assert paused.wait(10)
        job.emit(PartialText("It rained. Then"))
        while not shown.is_set() and not job.cancelled:
            batch.yield_point()
        job.finish(Completion("It rained. Then it snowed.", 7))

    harness.models.pipeline.script = write
    moderation, caller = ContentModeration(config(), WorkerBackend(harness)), Caller()
    spec = ModelSpec(name="m", task="complete", repo="org/m")
    moderation.schedule(spec, CompleteRequest(prompt="Once"), caller, "ab12cd34")
    await wait_for(started)
    harness.worker.pause(True)
    (_, other), (_, short) = harness.complete("other"), harness.mood()
    paused.set()
    await until(lambda: PartialText("It rained. ") in caller.events, "the text was not checked during the pause")
    shown.set()
    assert await caller.outcome() == Completion("It rained. Then it snowed.", 7)
    assert harness.worker.status().waiting == 2
    run = [type(request) for batch in harness.models.pipeline.batches for request in batch]
    assert run == [ClassifyTextsRequest, CompleteRequest, ClassifyTextsRequest, ClassifyTextsRequest]
    harness.models.pipeline.script = answer_all
    harness.worker.pause(False)
    assert await other.outcome() == Completion("OTHER", 0)
    assert not isinstance(await short.outcome(), Exception)


async def test_checks_have_the_id_of_their_request(engine: Engine, backend: Model) -> None:
    async with aclosing(engine.stream(engine.check(ImagineRequest(prompt="a fox", image=PNG)), "ab12cd34")) as events:
        assert [event async for event in events]
    assert backend.request_ids == ["ab12cd34"] * 4


@pytest.mark.parametrize("pictures", [None, "org/eyes"])
async def test_models_hear_whether_a_classifier_checks_their_pictures(backend: Model, pictures: str | None) -> None:
    engine = Engine(config(pictures=pictures), backend)
    await engine.run(engine.check(ImagineRequest(prompt="a fox")))
    (drawn,) = backend.served
    assert isinstance(drawn, ImagineRequest)
    assert drawn.has_classifier == bool(pictures)


@pytest.mark.parametrize("number", [0, 2], ids=["what goes in", "what comes out"])
async def test_without_a_verdict_nothing_goes_in_or_out(engine: Engine, backend: Model, number: int) -> None:
    answer = backend.script

    def script(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        broken = ModelUnavailable("{name} could not be loaded.", name=spec.name)
        return [broken] if len(backend.requests) == number + 1 else list(answer(spec, request))

    backend.script = script
    with pytest.raises(ModelUnavailable) as error:
        await collect(engine, CompleteRequest(prompt="Once"))
    assert str(error.value) == (
        "What goes in and out here is checked by a classifier, which can't be used now. ears could not be loaded."
    )


@pytest.mark.parametrize("number", [0, 2], ids=["what goes in", "what comes out"])
async def test_nothing_goes_in_or_out_if_the_check_is_not_queued(engine: Engine, backend: Model, number: int) -> None:
    answer = backend.script

    def script(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        if len(backend.requests) == number + 1:
            raise RequestCancelled("The bot is stopping.")
        return list(answer(spec, request))

    backend.script = script
    with pytest.raises(RequestCancelled):
        await collect(engine, CompleteRequest(prompt="Once"))


async def test_a_caller_who_leaves_cancels_the_check(engine: Engine, backend: Model) -> None:
    backend.script = lambda spec, request: []
    task = asyncio.create_task(collect(engine, CompleteRequest(prompt="Once")))
    await until(lambda: len(backend.tickets) == 1, "the prompt was not checked")
    task.cancel()
    await until(lambda: backend.tickets[0].cancelled, "the check went on")
    assert backend.served == []


async def test_a_check_that_takes_too_long_ends_at_the_deadline(backend: Model) -> None:
    backend.script = lambda spec, request: []
    limits = config().limits.model_copy(update={"deadline_seconds": 0})
    engine = Engine(config().model_copy(update={"limits": limits}), backend)
    with pytest.raises(RequestTimeout):
        await collect(engine, CompleteRequest(prompt="Once"))
    assert backend.tickets[0].cancelled


async def test_the_download_of_a_classifier_is_shown_but_not_its_place_in_the_queue(
    engine: Engine, backend: Model
) -> None:
    answer = backend.script
    backend.script = lambda spec, request: [Loading(0.5), *answer(spec, request)]
    backend.outcome = [Result(Completion("fine", 7))]
    assert await collect(engine, CompleteRequest(prompt="Once")) == [Loading(0.5), Loading(0.5), backend.outcome[0]]


async def test_checks_belong_to_nobody_and_are_not_refused_by_a_full_queue(engine: Engine, backend: Model) -> None:
    await collect(engine, ImagineRequest(prompt="a fox", image=PNG, owner="alice"))
    checks = [request for request in backend.requests if verdict(request)]
    assert [type(check) for check in checks] == [ClassifyTextsRequest, ClassifyPicturesRequest, ClassifyPicturesRequest]
    assert {check.owner for check in checks} == {""}
    assert {check.limited for check in checks} == {False}
    assert Classification(("a",), ((0.5,),), exclusive=True).charged == 0


async def test_the_threshold_decides(backend: Model) -> None:
    strict = Engine(config(texts={"repo": "org/ears", "threshold": 0.05}), backend)
    with pytest.raises(InvalidRequest):
        await collect(strict, CompleteRequest(prompt="fine"))
    lax = Engine(config(texts={"repo": "org/ears", "threshold": 0.95}), backend)
    await collect(lax, CompleteRequest(prompt="bad"))


async def test_only_the_labels_in_the_config_are_objected_to(backend: Model) -> None:
    engine = Engine(config(texts={"repo": "org/ears", "labels": ["Neutral"]}), backend)
    backend.outcome = [Result(Completion("bad", 7))]
    await collect(engine, CompleteRequest(prompt="bad"))
    with pytest.raises(InvalidRequest):
        await collect(engine, CompleteRequest(prompt="fine"))


def test_exclusive_labels_add_up_and_of_others_the_likeliest_counts() -> None:
    labels, row = ("porn", "sexy", "neutral"), ((0.3, 0.3, 0.4),)
    assert Classification(labels, row, exclusive=True).objections(("porn", "sexy")) == pytest.approx((0.6,))
    assert Classification(labels, row, exclusive=False).objections(("porn", "sexy")) == (0.3,)


async def test_either_classifier_may_be_left_out(backend: Model) -> None:
    only_texts = Engine(config(pictures=None), backend)
    backend.outcome = [Result(images(BAD_PICTURE))]
    assert await shown(only_texts, ImagineRequest(prompt="a fox")) == [(BAD_PICTURE, False)]
    only_pictures = Engine(config(texts=None), backend)
    assert await shown(only_pictures, ImagineRequest(prompt="bad")) == [(b"", True)]
