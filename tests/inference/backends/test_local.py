"""The backend of this machine, on a hub that the test holds up: downloads are nobody else's business."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from inference import CompleteRequest, Completion, Config, Engine, ModelUnavailable
from inference.backends.local import LocalBackend
from inference.pipelines.devices import find_device
from inference.types import Loading, LoadProgress, ModelSpec, Result
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_causal import save_causal

CONFIG = Config(models=model_lists(**{"complete": ["org/here", "org/far", "org/gone"]}), dtype="float32")


class SlowHub:
    """Has `here`; `far` arrives when the test says so; `gone` never does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetches: list[str] = []
        self.begun, self.arrived = threading.Event(), threading.Event()

    def state(self, spec: ModelSpec) -> tuple[str, int]:
        return ("on disk", 1000)

    def with_companion(self, spec: ModelSpec) -> ModelSpec:
        return spec

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        if spec.name == "gone":
            raise ModelUnavailable("gone is not downloaded.")
        if spec.name == "far" and not self.arrived.is_set():
            self.fetches.append(spec.name)
            on_progress(0.5)
            self.begun.set()
            assert self.arrived.wait(20)
            on_progress(1.0)
        return self._folder


@pytest.fixture
async def hub(tmp_path: Path) -> SlowHub:
    return SlowHub(save_causal(tmp_path, "gpt2"))


@pytest.fixture
async def engine(hub: SlowHub) -> AsyncIterator[Engine]:
    stand_in: Any = hub
    engine = Engine(CONFIG, LocalBackend(CONFIG, stand_in))
    yield engine
    hub.arrived.set()
    await engine.close()


def request(model: str, owner: str = "") -> CompleteRequest:
    return CompleteRequest(prompt="the quick", model=model, owner=owner, max_new_tokens=4, seed=1)


async def test_a_download_holds_up_nobody_who_wants_another_model(engine: Engine, hub: SlowHub) -> None:
    slow = asyncio.create_task(engine.run(engine.check(request("far"))))
    assert await asyncio.to_thread(hub.begun.wait, 20)
    assert isinstance(await engine.run(engine.check(request("here"))), Completion)
    assert not slow.done()
    hub.arrived.set()
    assert isinstance(await slow, Completion)


async def test_everybody_who_waits_for_one_download_sees_it_and_it_happens_once(engine: Engine, hub: SlowHub) -> None:
    async def events(owner: str) -> list[object]:
        return [event async for event in engine.stream(engine.check(request("far", owner)))]

    callers = [asyncio.create_task(events(owner)) for owner in ("ann", "bob")]
    assert await asyncio.to_thread(hub.begun.wait, 20)
    await engine.run(engine.check(request("here")))  # asked later, so both callers are waiting by now
    hub.arrived.set()
    for seen in await asyncio.gather(*callers):
        assert Loading(1.0) in seen
        assert isinstance(seen[-1], Result)
    assert hub.fetches == ["far"]


async def test_a_download_goes_on_when_the_one_who_asked_has_left(engine: Engine, hub: SlowHub) -> None:
    caller = asyncio.create_task(engine.run(engine.check(request("far"))))
    assert await asyncio.to_thread(hub.begun.wait, 20)
    caller.cancel()
    hub.arrived.set()
    assert isinstance(await engine.run(engine.check(request("far"))), Completion)
    assert hub.fetches == ["far"]


async def test_a_model_that_can_not_be_had_fails_with_its_sentence_each_time(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="gone is not downloaded"):
            await engine.run(engine.check(request("gone")))


async def test_names_of_one_device_share_one_queue(hub: SlowHub) -> None:
    models = ["org/here", {"repo": "org/here", "name": "again", "device": str(find_device("auto"))}]
    config = CONFIG.model_copy(update={"models": model_lists(**{"complete": models})})
    stand_in: Any = hub
    engine = Engine(config, LocalBackend(config, stand_in))
    assert await asyncio.to_thread(engine.problems) == []
    await engine.run(engine.check(request("here")))
    await engine.run(engine.check(request("again")))
    assert len(engine.queues()) == 1
    await engine.close()
