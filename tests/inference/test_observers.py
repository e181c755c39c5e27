"""What observers are told: how each request ended, and nothing of its content."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference import (
    CompleteRequest,
    Config,
    Engine,
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    Limits,
    Observation,
    Observers,
    Overloaded,
    PartialText,
    RequestEnded,
    RequestTimeout,
    Started,
)
from inference.observers import RequestWatch
from inference.tasks import CaptionRequest, Completion
from inference.types import Event, Loading, Queued, Result
from tests.fakes import FakeBackend, model_lists

MODELS = model_lists(complete=["org/writer"], caption=["org/describer"])


class Recorder:
    """An engine with a fake backend, and what its observer was told."""

    def __init__(self, folder: Path, backend: FakeBackend | None = None, limits: Limits | None = None) -> None:
        self.seen: list[Observation] = []
        self.backend = backend or FakeBackend()
        self.engine = Engine(Config(models=MODELS, data=folder, limits=limits or Limits()), self.backend)
        self.engine.observe(self.seen.append)

    @property
    def ended(self) -> RequestEnded:
        (ended,) = self.seen
        assert isinstance(ended, RequestEnded)
        return ended

    async def run(self, request_id: str = "ab12") -> None:
        checked = self.engine.check(CompleteRequest(prompt="A secret", owner="7", group="9"))
        async with aclosing(self.engine.stream(checked, request_id)) as events:
            async for _ in events:
                pass


async def test_an_answered_request_is_observed_once_without_its_content(tmp_path: Path):
    recorder = Recorder(tmp_path)
    await recorder.run()
    ended = recorder.ended
    assert (ended.id, ended.task, ended.model, ended.owner, ended.group) == ("ab12", "complete", "writer", "7", "9")
    assert (ended.outcome, ended.error_id) == ("answered", "")
    assert ended.first_output is not None
    assert "secret" not in repr(ended)
    assert "then" not in repr(ended)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Overloaded("Full.", 1.0), "refused"),
        (GenerationFailed("It broke."), "failed"),
    ],
)
async def test_an_error_of_the_backend_is_how_the_request_ended(tmp_path: Path, error: InferenceError, outcome: str):
    recorder = Recorder(tmp_path, FakeBackend(script=lambda spec, request: [Started(), error]))
    with pytest.raises(type(error)):
        await recorder.run()
    assert recorder.ended.outcome == outcome
    assert recorder.ended.error_id == (error.error_id if outcome == "failed" else "")


async def test_a_caller_who_leaves_has_cancelled(tmp_path: Path):
    recorder = Recorder(tmp_path, FakeBackend(script=lambda spec, request: [Started(), PartialText("a")]))
    checked = recorder.engine.check(CompleteRequest(prompt="A"))
    async with aclosing(recorder.engine.stream(checked)) as events:
        await anext(events)
    assert recorder.ended.outcome == "cancelled"
    assert recorder.backend.tickets[0].cancelled


async def test_a_request_without_an_end_has_timed_out(tmp_path: Path):
    silent = FakeBackend(script=lambda spec, request: [])
    recorder = Recorder(tmp_path, silent, Limits(deadline_seconds=1))
    with pytest.raises(RequestTimeout):
        await recorder.run()
    assert (recorder.ended.outcome, recorder.ended.first_output) == ("timed out", None)


async def test_a_picture_that_can_not_be_read_is_refused(tmp_path: Path):
    recorder = Recorder(tmp_path)
    checked = recorder.engine.check(CaptionRequest(), pending=["image"])
    with pytest.raises(InvalidRequest):
        await recorder.engine.run(recorder.engine.with_inputs(checked, image=b"no picture"))
    assert (recorder.ended.outcome, recorder.ended.device) == ("refused", "")


async def test_an_observer_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture):
    def failing(observation: Observation) -> None:
        raise KeyError("a label")

    observers, seen = Observers(), list[Observation]()
    observers.add(failing)
    observers.add(seen.append)
    await asyncio.to_thread(observers, RequestEnded("", "", "", "", "", "", "answered", 0, 0, None, 0, ""))
    assert len(seen) == 1
    assert "an observer failed on RequestEnded" in caplog.text


def test_an_observer_that_is_added_twice_is_called_once():
    observers, seen = Observers(), list[Observation]()
    observe = seen.append
    observers.add(observe)
    observers.add(observe)
    observers(RequestEnded("", "", "", "", "", "", "answered", 0, 0, None, 0, ""))
    assert len(seen) == 1


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("waiting", [Queued(1), Loading()])
async def test_the_work_of_a_device_that_was_lost_counts_as_waiting(tmp_path: Path, waiting: Event):
    clock, checked = Clock(), Recorder(tmp_path).engine.check(CompleteRequest(prompt="a"))
    watch = RequestWatch(checked, "ab12", clock)
    times: list[tuple[float, float]] = []
    for now, event in ((1.0, Started()), (40.0, waiting), (60.0, Started()), (68.0, Result(Completion("b", 1)))):
        clock.now = now
        watch.event(event)
        ended = watch.ended("cpu", 4)
        times.append((ended.waited, ended.ran))
    assert times == [(1.0, 0.0), (40.0, 0.0), (60.0, 0.0), (60.0, 8.0)]
