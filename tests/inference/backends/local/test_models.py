"""The models of the local backend: downloads, loading and unloading."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from inference import (
    Completion,
    Config,
    Engine,
    ModelLoaded,
    ModelUnavailable,
    Observation,
    Observers,
    RequestEnded,
)
from inference.backends.local import LocalBackend
from inference.types import Loading, Result
from tests.fakes import model_lists
from tests.inference.backends.local.conftest import SlowHub, request
from tests.waiting import until


async def test_a_download_does_not_delay_requests_for_another_model(engine: Engine, hub: SlowHub) -> None:
    slow = asyncio.create_task(engine.run(engine.check(request("far"))))
    assert await asyncio.to_thread(hub.started.wait, 20)
    assert isinstance(await engine.run(engine.check(request("here"))), Completion)
    assert not slow.done()
    hub.finished.set()
    assert isinstance(await slow, Completion)


async def test_callers_that_wait_for_the_same_model_share_one_download_and_all_see_its_progress(
    engine: Engine, hub: SlowHub
) -> None:
    async def events(owner: str) -> list[object]:
        return [event async for event in engine.stream(engine.check(request("far", owner)))]

    callers = [asyncio.create_task(events(owner)) for owner in ("ann", "bob")]
    assert await asyncio.to_thread(hub.started.wait, 20)
    await engine.run(engine.check(request("here")))  # asked later, so both callers are waiting by now
    hub.finished.set()
    for received in await asyncio.gather(*callers):
        assert Loading(1.0) in received
        assert isinstance(received[-1], Result)
    assert hub.downloads == ["far"]


async def test_a_download_continues_after_its_caller_has_cancelled(engine: Engine, hub: SlowHub) -> None:
    caller = asyncio.create_task(engine.run(engine.check(request("far"))))
    assert await asyncio.to_thread(hub.started.wait, 20)
    caller.cancel()
    hub.finished.set()
    assert isinstance(await engine.run(engine.check(request("far"))), Completion)
    assert hub.downloads == ["far"]


async def test_every_request_for_an_unavailable_model_gets_the_same_error_message(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="gone is not downloaded"):
            await engine.run(engine.check(request("gone")))


def test_the_files_on_disk_say_whether_a_model_answers_questions_about_pictures(tmp_path: Path) -> None:
    for name, model_type, architecture in (
        ("eyes", "smolvlm", "SmolVLMForConditionalGeneration"),
        ("captions", "blip", "BlipForConditionalGeneration"),
        ("broken", "nothing-known", "Nothing"),
    ):
        (tmp_path / name).mkdir()
        config = {"model_type": model_type, "architectures": [architecture]}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        (tmp_path / name / "model.safetensors").write_bytes(b"")
        (tmp_path / name / "tokenizer.json").write_text("{}")
    repos = [str(tmp_path / name) for name in ("eyes", "captions", "broken", "missing")]
    config = Config(models=model_lists(caption=repos), data=tmp_path)
    backend = LocalBackend(config)
    answers = [backend.answers_about_pictures(spec) for spec in config.specs("caption")]
    assert answers == [True, False, False, None]


async def test_a_download_shows_whether_a_model_answers_questions_about_pictures(
    engine: Engine, hub: SlowHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "state", lambda _: ("on disk" if hub.finished.is_set() else "not downloaded", 1000))
    backend: Any = engine._backend  # pyright: ignore[reportPrivateUsage]

    def answers() -> dict[str, bool | None]:
        return {spec.name: backend.answers_about_pictures(spec) for spec in engine.models("complete")}

    assert set(answers().values()) == {None}, "nothing is known yet"
    hub.finished.set()
    for name in ("far", "here"):
        await engine.run(engine.check(request(name)))
    assert answers() == {"here": False, "far": False, "gone": None}


async def test_loading_a_model_is_observed_and_its_tokens_counted(hub: SlowHub, config: Config) -> None:
    fake_hub: Any = hub
    seen: list[Observation] = []
    observers = Observers()
    observers.add(seen.append)
    engine = Engine(config, LocalBackend(config, fake_hub, observers), observers)
    await engine.run(engine.check(request("here")))
    await engine.close()
    (loaded,) = (each for each in seen if isinstance(each, ModelLoaded))
    (ended,) = (each for each in seen if isinstance(each, RequestEnded))
    assert (loaded.device, loaded.model, loaded.nbytes > 0) == (ended.device, "here", True)
    assert (ended.units, ended.unit) == (4, "tokens")
    assert ended.waited >= loaded.seconds


async def test_a_model_is_loaded_and_unloaded_as_the_operator_says(engine: Engine) -> None:
    spec = engine.model_named("here")
    assert not await engine.unload(spec)
    await engine.load(spec)
    assert engine.loaded("complete")
    assert [(status.loaded[0][0], status.budget > 0) for status in engine.queues()] == [("here", True)]
    assert await engine.unload(spec)
    assert not engine.loaded("complete")


async def test_an_unused_model_leaves_the_memory_after_its_time(hub: SlowHub, config: Config) -> None:
    fake_hub: Any = hub
    lists = model_lists(complete=[{"repo": "org/here", "unload_after": "1 s"}])
    patient = config.model_copy(update={"models": lists})
    engine = Engine(patient, LocalBackend(patient, fake_hub))
    await engine.run(engine.check(request("here")))
    assert engine.loaded("complete")
    await until(lambda: not engine.loaded("complete"), "the model stayed in memory")
    assert isinstance(await engine.run(engine.check(request("here"))), Completion)
    await engine.close()


async def test_the_engine_expects_what_such_requests_took_before(engine: Engine) -> None:
    checked = engine.check(request("here"))
    assert engine.expected_seconds(checked) is None
    await engine.run(checked)
    await until(lambda: engine.expected_seconds(checked) is not None, "nothing was learned")
    assert engine.expected_seconds(engine.check(request("far"))) is None


async def test_a_model_that_two_tasks_share_is_unloaded_by_either_name(hub: SlowHub, config: Config) -> None:
    fake_hub: Any = hub
    lists = model_lists(complete=["org/here"], summarize=[{"repo": "org/here", "name": "same"}])
    shared = config.model_copy(update={"models": lists})
    engine = Engine(shared, LocalBackend(shared, fake_hub))
    await engine.load(engine.model_named("same"))
    assert engine.loaded("complete")
    assert await engine.unload(engine.model_named("here"))
    assert not engine.loaded("summarize")
    await engine.close()
