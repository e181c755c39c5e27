"""Test the operator's classifiers: what goes in, what comes out, and what nobody sees before it was checked."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from inference import (
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    CompleteRequest,
    Completion,
    EditRequest,
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
    Progress,
    Request,
    RequestCancelled,
    RequestTimeout,
    Result,
    SentimentRequest,
    SummarizeRequest,
    Summary,
)
from inference.tasks import Classification, ClassifyPicturesRequest, ClassifyTextsRequest, Section
from tests.fakes import PNG, plausible
from tests.inference.content_moderation.checked_model import (
    BAD_PICTURE,
    OTHER_PNG,
    Model,
    collect,
    config,
    verdict,
)
from tests.waiting import until

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
        EditRequest(prompt="x", image=PNG),
        CaptionRequest(image=PNG),
        ChatAnswerRequest(question="What is it?", image=PNG),
    ],
    ids=["a picture to start from", "a mask", "a picture to edit", "a picture to describe", "a picture to ask about"],
)
async def test_no_model_gets_a_picture_that_the_classifier_objects_to(
    engine: Engine, backend: Model, request_: Request
) -> None:
    backend.seeing, backend.bad_picture = {"caption": True}, PNG
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
