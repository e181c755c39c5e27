"""Test the engine: which requests it refuses, which defaults it sets, and cancellation."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from inference import (
    CaptionRequest,
    ChatAnswerRequest,
    ChatRequest,
    CompleteRequest,
    Completion,
    Config,
    DocumentText,
    Engine,
    GenerationFailed,
    ImagineRequest,
    InvalidRequest,
    Message,
    PartialText,
    Queued,
    Request,
    RequestTimeout,
    Result,
    SentimentRequest,
    UnknownModel,
)
from inference.limits import Limits
from inference.types.errors import EMPTY_PHRASE, Phrase, RequestCancelled
from tests.fakes import PNG, FakeBackend, model_lists
from tests.inference.documents.sample_documents import pdf_of, slow_pdf
from tests.waiting import until

CONFIG = Config(
    models=model_lists(**{"complete": ["org/first", "org/second"], "caption": ["org/eyes"], "imagine": ["org/brush"]})
)


SHORT_PDF = pdf_of([["One."]])


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def engine(backend: FakeBackend) -> Engine:
    return Engine(CONFIG, backend)


async def collect(engine: Engine, request: Request) -> list[object]:
    async with aclosing(engine.stream(engine.check(request))) as events:
        return [event async for event in events]


async def test_a_stream_ends_with_the_result(engine: Engine) -> None:
    events = await collect(engine, CompleteRequest(prompt="Once", seed=7))
    assert events == [PartialText(" and"), PartialText(" and then"), Result(Completion(" and then", 7))]


async def test_run_returns_only_the_result(engine: Engine) -> None:
    assert await engine.run(engine.check(CompleteRequest(prompt="Once", seed=7))) == Completion(" and then", 7)


async def test_a_request_without_a_seed_gets_a_seed_that_reproduces_the_result(
    engine: Engine, backend: FakeBackend
) -> None:
    first = await engine.run(engine.check(CompleteRequest(prompt="Once")))
    second = await engine.run(engine.check(CompleteRequest(prompt="Once")))
    assert isinstance(first, Completion)
    assert isinstance(second, Completion)
    assert first.seed != second.seed
    assert [getattr(request, "seed", None) for request in backend.requests] == [first.seed, second.seed]


async def test_a_chat_model_thinks_if_the_settings_or_the_request_say_so(backend: FakeBackend) -> None:
    models = model_lists(**{"chat": ["org/quick", {"repo": "org/deep", "thinking": True}]})
    engine = Engine(Config(models=models), backend)
    request = ChatRequest(messages=(Message("user", "Why?"),))
    for model, thinking in (("quick", None), ("deep", None), ("quick", True), ("deep", False)):
        await engine.run(engine.check(replace(request, model=model, thinking=thinking)))
    assert [getattr(request, "thinking", "") for request in backend.requests] == [False, True, True, False]


async def test_the_default_temperature_of_a_model_applies_to_requests_without_one(backend: FakeBackend) -> None:
    models = model_lists(**{"complete": [{"repo": "org/calm", "temperature": 0.3}, "org/plain"]})
    engine = Engine(Config(models=models), backend)
    for request in (
        CompleteRequest(prompt="Once"),
        CompleteRequest(prompt="Once", temperature=0.0),
        CompleteRequest(prompt="Once", model="plain"),
    ):
        await engine.run(engine.check(request))
    assert [getattr(request, "temperature", "") for request in backend.requests] == [0.3, 0.0, None]


async def test_the_first_model_is_the_default_and_others_are_selected_by_name_or_repository(
    engine: Engine,
) -> None:
    assert engine.check(CompleteRequest(prompt="x")).spec.repo == "org/first"
    assert engine.check(CompleteRequest(prompt="x", model="second")).spec.repo == "org/second"
    assert engine.check(CompleteRequest(prompt="x", model="org/second")).spec.repo == "org/second"


async def test_an_unknown_model_is_refused_with_a_list_of_models(engine: Engine) -> None:
    with pytest.raises(UnknownModel, match="first, second"):
        engine.check(CompleteRequest(prompt="x", model="gpt-9"))


async def test_the_error_for_a_task_without_models_names_the_config_key(engine: Engine) -> None:
    with pytest.raises(UnknownModel, match=r"models\.mood"):
        engine.check(SentimentRequest(texts=("fine",)))


async def test_an_invalid_request_never_reaches_the_backend(engine: Engine, backend: FakeBackend) -> None:
    with pytest.raises(InvalidRequest):
        await engine.run(engine.check(CompleteRequest(prompt="  ")))
    assert backend.requests == []


async def test_a_broken_picture_never_reaches_the_backend(engine: Engine, backend: FakeBackend) -> None:
    with pytest.raises(InvalidRequest):
        await engine.run(engine.check(CaptionRequest(image=b"this is text, not a picture")))
    assert backend.requests == []


async def test_an_error_of_the_backend_is_raised_in_the_caller(engine: Engine, backend: FakeBackend) -> None:
    failure = GenerationFailed("The model failed.")
    backend.script = lambda spec, request: [Queued(1), failure]
    with pytest.raises(GenerationFailed) as raised:
        await engine.run(engine.check(ImagineRequest(prompt="a cat")))
    assert raised.value is failure


async def test_a_request_without_a_result_times_out_and_is_cancelled(backend: FakeBackend) -> None:
    engine = Engine(
        CONFIG.model_copy(update={"limits": Limits().model_copy(update={"deadline_seconds": 0.01})}), backend
    )
    backend.script = lambda spec, request: [Queued(1)]
    with pytest.raises(RequestTimeout):
        await engine.run(engine.check(CompleteRequest(prompt="x")))
    assert backend.tickets[0].cancelled


async def test_closing_the_stream_cancels_the_request(engine: Engine, backend: FakeBackend) -> None:
    backend.script = lambda spec, request: [Queued(1)]
    stream = engine.stream(engine.check(CompleteRequest(prompt="x")))
    await anext(stream)
    assert not backend.tickets[0].cancelled
    await stream.aclose()
    assert backend.tickets[0].cancelled


async def test_a_cancelled_task_cancels_its_request(engine: Engine, backend: FakeBackend) -> None:
    backend.script = lambda spec, request: [Queued(1)]
    queued = asyncio.Event()

    async def caller() -> None:
        async for _ in engine.stream(engine.check(CompleteRequest(prompt="x"))):
            queued.set()

    task = asyncio.create_task(caller())
    await until(queued.is_set, "The request was not queued.")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.tickets[0].cancelled


async def test_cancelling_the_caller_stops_reading_a_document(engine: Engine) -> None:
    readers = [asyncio.create_task(engine.read_document(slow_pdf(), "slow.pdf", 10**9)) for _ in range(3)]
    await asyncio.sleep(0)
    for reader in readers:
        reader.cancel()
    assert await engine.read_document(SHORT_PDF, "short.pdf", 10) == DocumentText("One.")


async def test_many_slow_documents_of_one_person_keep_nobody_else_waiting(engine: Engine) -> None:
    slow = [asyncio.create_task(engine.read_document(slow_pdf(), "slow.pdf", 10**9, "anna")) for _ in range(20)]
    await asyncio.sleep(0)
    assert await engine.read_document(SHORT_PDF, "short.pdf", 10, "ben") == DocumentText("One.")
    assert await engine.read_document(b"short", "short.txt", 10, "anna") == DocumentText("short")
    assert not any(reader.done() for reader in slow)
    await engine.close()
    outcomes = await asyncio.gather(*slow, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {RequestCancelled}


async def test_a_document_above_the_character_limit_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="more than 4 characters"):
        await engine.read_document(b"short", "short.txt", 4)


async def test_the_backend_forgets_an_owner(engine: Engine, backend: FakeBackend) -> None:
    await engine.forget_owner("ann")
    assert backend.forgotten == ["ann"]


async def test_closing_the_engine_closes_the_backend(engine: Engine, backend: FakeBackend) -> None:
    await engine.close()
    assert backend.closed


def with_loras(folder: Path, *names: str) -> Engine:
    for name in names:
        (folder / f"{name}.safetensors").touch()
    return Engine(CONFIG.model_copy(update={"loras": folder}), FakeBackend())


@pytest.mark.parametrize("lora", ["ink", "ink:0.8", "ink:-2", "line: art", "line: art:1.5"])
def test_a_lora_is_selected_by_its_file_name_with_or_without_a_weight(tmp_path: Path, lora: str) -> None:
    engine = with_loras(tmp_path, "ink", "line: art")
    assert engine.check(ImagineRequest(prompt="a fox", lora=lora)).spec.name == "brush"


@pytest.mark.parametrize(
    ("lora", "words"),
    [
        ("oil", "There is no LoRA 'oil'. There is: ink."),
        ("ink:strong", "There is no LoRA 'ink:strong'"),
        ("ink:3", "between -2 and 2, not 3"),
        ("ink:nan", "between -2 and 2, not nan"),
    ],
)
def test_an_unknown_lora_or_an_invalid_weight_is_refused(tmp_path: Path, lora: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(words)):
        with_loras(tmp_path, "ink").check(ImagineRequest(prompt="a fox", lora=lora))


def test_optional_loras_that_there_are_not_are_left_out_and_named(tmp_path: Path) -> None:
    note = Phrase("The file's size 515x769 became 512x768.")
    loras = ("ink:0.8", "oil:1", "my style:-1", "oil:0.5")
    asked = ImagineRequest(prompt="a fox", lora="line", optional_loras=loras, note=note)
    request = with_loras(tmp_path, "ink", "line").check(asked).request
    assert (request.lora, request.optional_loras) == ("line, ink:0.8", ())
    left_out = "LoRAs in the file that this bot does not have were left out: oil, my style."
    assert request.note == f"{note} {left_out}"
    alone = with_loras(tmp_path / "none").check(replace(asked, lora="", note=EMPTY_PHRASE)).request
    assert (alone.lora, alone.note) == ("", left_out.replace("oil,", "ink, oil,"))


class TestQuestionsAboutPictures:
    """They go to the models that can answer them, whatever task those are listed under."""

    QUESTION = ChatAnswerRequest(question="What is it?", image=PNG)

    def test_the_first_model_that_sees_is_chosen(self, engine: Engine, backend: FakeBackend) -> None:
        backend.seeing = {"second": True, "eyes": True}
        assert engine.check(self.QUESTION).spec.name == "second"
        assert engine.check(ChatAnswerRequest(question="Why?")).spec.name == "first"

    def test_a_picture_that_is_still_to_be_fetched_counts(self, engine: Engine, backend: FakeBackend) -> None:
        backend.seeing = {"eyes": True}
        checked = engine.check(ChatAnswerRequest(question="What is it?"), pending=["image"])
        assert checked.spec.name == "eyes"
        assert engine.with_inputs(checked, image=PNG).request.image == PNG

    def test_a_model_that_is_not_downloaded_is_taken_only_if_it_is_named(
        self, engine: Engine, backend: FakeBackend
    ) -> None:
        backend.seeing = {"first": None, "eyes": True}
        assert [spec.name for spec in engine.models_for_pictures()] == ["eyes"]
        assert engine.check(self.QUESTION).spec.name == "eyes"
        assert engine.check(replace(self.QUESTION, model="first")).spec.name == "first"

    def test_a_model_that_sees_nothing_is_refused_with_the_names_of_the_others(
        self, engine: Engine, backend: FakeBackend
    ) -> None:
        backend.seeing = {"eyes": True}
        with pytest.raises(UnknownModel, match=r"first answers no questions about pictures\. These do: eyes\."):
            engine.check(replace(self.QUESTION, model="first"))
        assert engine.check(replace(self.QUESTION, model="org/eyes")).spec.name == "eyes"

    def test_without_any_such_model_the_operator_is_told_what_to_list(self, engine: Engine) -> None:
        with pytest.raises(UnknownModel, match=r"under models\.caption in config\.yaml"):
            engine.check(self.QUESTION)

    def test_a_picture_over_the_limit_is_refused(self, engine: Engine, backend: FakeBackend) -> None:
        backend.seeing = {"eyes": True}
        with pytest.raises(InvalidRequest, match="larger than 25 MB"):
            engine.check(replace(self.QUESTION, image=b"0" * 26_000_000))

    async def test_a_file_that_is_no_picture_is_refused_before_it_is_queued(
        self, engine: Engine, backend: FakeBackend
    ) -> None:
        backend.seeing = {"eyes": True}
        with pytest.raises(InvalidRequest, match="not a picture"):
            await collect(engine, replace(self.QUESTION, image=b"text"))
        assert not backend.requests


async def test_what_the_devices_lack_is_unknown_until_they_were_checked(engine: Engine, backend: FakeBackend) -> None:
    backend.lacking = ["line 2: no device"]
    assert engine.found_problems is None
    assert await engine.check_devices() == ["line 2: no device"]
    assert engine.found_problems == ["line 2: no device"]
    assert await engine.reconfigure(CONFIG.model_copy()) == []
    assert engine.found_problems == []


class SlowToCheck(FakeBackend):
    """A backend whose check of the devices lasts until the test allows it to end."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = threading.Event()

    def device_problems(self, *, probe: bool = False) -> list[str]:
        assert self.may_end.wait(20)
        return ["line 2: no device"]


async def test_a_reload_during_the_check_of_the_devices_is_what_counts() -> None:
    backend = SlowToCheck()
    engine = Engine(CONFIG, backend)
    check = asyncio.create_task(engine.check_devices())
    await asyncio.sleep(0)
    assert await engine.reconfigure(CONFIG.model_copy()) == []
    backend.may_end.set()
    assert await check == []
    assert engine.found_problems == []
