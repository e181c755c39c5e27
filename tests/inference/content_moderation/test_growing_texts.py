"""Growing texts are shown up to what a classifier has checked, also while the bot is paused."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing, suppress
from typing import Any

import pytest

from inference import (
    CompleteRequest,
    Completion,
    Engine,
    Event,
    ModelSpec,
    OutputWithheld,
    PartialText,
    Request,
    Result,
    Started,
)
from inference.backends.backend import Listener
from inference.backends.local_job import LocalJob
from inference.content_moderation import ContentModeration
from inference.pipelines.pipeline import Batch
from inference.tasks import Classification, ClassifyTextsRequest
from tests.fakes import FakeBackend
from tests.inference.backends.scripted import Caller, WorkerHarness, answer_all, wait_for
from tests.inference.content_moderation.checked_model import (
    Model,
    config,
    probability,
    verdict,
)
from tests.waiting import until


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
    def partials(self) -> list[PartialText]:
        return [event for event in self.events if isinstance(event, PartialText)]

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.partials]


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


async def test_growing_thoughts_are_shown_up_to_what_was_checked_too(engine: Engine, backend: Model) -> None:
    writer = Writer(engine, backend)
    await writer.write(PartialText("", thoughts="It may rain. Or"))
    shown = [PartialText("", thoughts="It may rain. ")]
    await until(lambda: writer.partials == shown, "the first sentence was not shown")
    thoughts = "It may rain. Or not"
    await writer.write(PartialText("It rains. So", thoughts=thoughts))
    shown.append(PartialText("It rains. ", thoughts=thoughts))
    await until(lambda: writer.partials == shown, "the end of the thoughts was not shown with the text")
    await writer.stop()


async def test_bad_thoughts_are_withheld(engine: Engine, backend: Model) -> None:
    writer = Writer(engine, backend)
    await writer.write(PartialText("", thoughts="It may rain. A bad thing. Or"))
    await writer.is_withheld()
    assert writer.partials == []


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
