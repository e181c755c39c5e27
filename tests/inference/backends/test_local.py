"""Test the local backend with a hub whose downloads wait for the test."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from inference import (
    CompleteRequest,
    Completion,
    Config,
    DeviceUsed,
    Engine,
    Limits,
    ModelLoaded,
    ModelUnavailable,
    Observation,
    Observers,
    RequestEnded,
    UnknownModel,
)
from inference.backends import local
from inference.backends.device_worker import DeviceWorker
from inference.backends.local import LocalBackend
from inference.hub.model_card import ModelCard
from inference.pipelines.devices import find_device
from inference.types import Loading, LoadProgress, ModelSpec, Result
from inference.types.errors import OutOfMemory
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_causal import save_causal
from tests.waiting import until


class SlowHub:
    """A hub that has `here`, finishes the download of `far` when the test allows it, and never has `gone`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.downloads: list[str] = []
        self.started, self.finished = threading.Event(), threading.Event()

    def state(self, spec: ModelSpec) -> tuple[str, int]:
        return ("on disk", 1000)

    def card(self, spec: ModelSpec) -> ModelCard:
        return ModelCard()

    def with_companions(self, spec: ModelSpec) -> ModelSpec:
        return spec

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        if spec.name == "gone":
            raise ModelUnavailable("gone is not downloaded.")
        if spec.name == "far" and not self.finished.is_set():
            self.downloads.append(spec.name)
            on_progress(0.5)
            self.started.set()
            assert self.finished.wait(20)
            on_progress(1.0)
        return self._folder


@pytest.fixture
async def hub(tmp_path: Path) -> SlowHub:
    return SlowHub(save_causal(tmp_path, "gpt2"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    lists = model_lists(**{"complete": ["org/here", "org/far", "org/gone"]})
    return Config(models=lists, dtype="float32", data=tmp_path / "data")


@pytest.fixture
async def engine(hub: SlowHub, config: Config) -> AsyncIterator[Engine]:
    fake_hub: Any = hub
    engine = Engine(config, LocalBackend(config, fake_hub))
    yield engine
    hub.finished.set()
    await engine.close()


def request(model: str, owner: str = "") -> CompleteRequest:
    return CompleteRequest(prompt="the quick", model=model, owner=owner, max_new_tokens=4, seed=1)


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


async def test_the_use_of_the_device_survives_a_restart_until_its_owner_is_forgotten(
    engine: Engine, hub: SlowHub, config: Config
) -> None:
    def usage() -> set[str]:
        return {
            owner for kept in json.loads((config.data / "usage.json").read_text()).values() for owner in kept["usage"]
        }

    async def run(engine: Engine, *owners: str) -> None:
        for owner in owners:
            long = replace(request("here", owner), max_new_tokens=64)  # shorter uses are too small to be kept
            for _ in range(4):
                await engine.run(engine.check(long))
        await engine.close()

    await run(engine, "ann", "bob")
    assert usage() == {"ann", "bob"}
    fake_hub: Any = hub
    again = Engine(config, LocalBackend(config, fake_hub))
    await again.forget_owner("bob")
    assert usage() == {"ann"}
    await run(again, "cy")
    assert usage() == {"ann", "cy"}


async def test_every_request_for_an_unavailable_model_gets_the_same_error_message(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="gone is not downloaded"):
            await engine.run(engine.check(request("gone")))


async def test_different_names_of_the_same_device_share_one_queue(hub: SlowHub, config: Config) -> None:
    models = ["org/here", {"repo": "org/here", "name": "again", "device": str(find_device("auto"))}]
    config = config.model_copy(update={"models": model_lists(**{"complete": models})})
    fake_hub: Any = hub
    engine = Engine(config, LocalBackend(config, fake_hub))
    assert await engine.check_devices() == []
    await engine.run(engine.check(request("here")))
    await engine.run(engine.check(request("again")))
    assert len(engine.queues()) == 1
    await engine.close()


@pytest.mark.parametrize("when", ["before the device was needed", "later"])
async def test_who_used_other_devices_waits_behind_who_did_not(hub: SlowHub, config: Config, when: str) -> None:
    use = DeviceUsed("", "ann", "", 100.0)
    config = config.model_copy(update={"limits": Limits(batch=1)})
    fake_hub: Any = hub
    engine = Engine(config, LocalBackend(config, fake_hub))
    if when != "later":
        engine.charge(use)
    await engine.run(engine.check(request("here")))
    engine.pause(True)
    ended: list[str] = []

    async def ask(owner: str) -> None:
        await engine.run(engine.check(request("here", owner)))
        ended.append(owner)

    asked = [asyncio.create_task(ask(owner)) for owner in ("ann", "bob")]
    await until(lambda: engine.queues()[0].waiting == 2, "they do not wait")
    if when == "later":
        engine.charge(use)
    engine.pause(False)
    await asyncio.gather(*asked)
    assert ended == ["bob", "ann"]
    await engine.close()


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


async def test_another_config_holds_for_new_requests_and_unloads_what_it_does_not_list(
    engine: Engine, config: Config
) -> None:
    await engine.run(engine.check(request("here")))
    renamed = model_lists(complete=[{"repo": "org/here", "name": "other", "dtype": "bfloat16"}])
    assert await engine.reconfigure(config.model_copy(update={"models": renamed})) == []
    assert [spec.name for spec in engine.models("complete")] == ["other"]
    await until(lambda: not engine.queues()[0].loaded, "the model that is not listed stayed in memory")
    assert isinstance(await engine.run(engine.check(request("other"))), Completion)


async def test_a_request_for_a_model_that_a_new_config_leaves_out_goes_on(
    engine: Engine, config: Config, hub: SlowHub
) -> None:
    accepted = asyncio.create_task(engine.run(engine.check(request("far"))))
    assert await asyncio.to_thread(hub.started.wait, 20)
    assert await engine.reconfigure(config.model_copy(update={"models": model_lists(complete=["org/here"])})) == []
    hub.finished.set()
    assert isinstance(await accepted, Completion)
    with pytest.raises(UnknownModel):
        engine.check(request("far"))
    await until(lambda: not engine.queues()[0].loaded, "the model that is not listed stayed in memory")


async def test_a_config_that_this_machine_can_not_do_changes_nothing(
    engine: Engine, config: Config, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    wrong = model_lists(complete=["org/here", str(tmp_path / "empty")])
    (problem,) = await engine.reconfigure(config.model_copy(update={"models": wrong}))
    assert "empty" in problem
    assert engine.config is config
    assert len(engine.models("complete")) == 3


async def test_the_engine_expects_what_such_requests_took_before(engine: Engine) -> None:
    checked = engine.check(request("here"))
    assert engine.expected_seconds(checked) is None
    await engine.run(checked)
    await until(lambda: engine.expected_seconds(checked) is not None, "nothing was learned")
    assert engine.expected_seconds(engine.check(request("far"))) is None


async def test_a_model_stays_loaded_if_only_its_words_and_limits_change(hub: SlowHub, config: Config) -> None:
    fake_hub: Any = hub
    config = config.model_copy(update={"device": ("cpu",)})
    engine = Engine(config, LocalBackend(config, fake_hub))
    await engine.run(engine.check(request("here")))
    lists = model_lists(complete=[{"repo": "org/here", "temperature": 0.1, "unload_after": "1 h"}])
    changed = config.model_copy(update={"models": lists, "system": "Be brief."})
    assert await engine.reconfigure(changed) == []
    await engine.load(engine.model_named("here"))  # after what the reload does on the device's thread
    assert [name for status in engine.queues() for name, _ in status.loaded] == ["here"]
    assert engine.loaded("complete")
    await engine.close()


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


async def test_a_model_whose_device_is_missing_is_known_and_refused_with_the_same_sentence(
    hub: SlowHub, config: Config
) -> None:
    models = ["org/here", {"repo": "org/here", "name": "lost", "device": "cuda:7"}]
    config = config.model_copy(update={"models": model_lists(complete=models)})
    fake_hub: Any = hub
    engine = Engine(config, LocalBackend(config, fake_hub))
    sentence = "The device 'cuda:7' of the bot's settings is not on this machine."
    assert engine.problems() == [], "the files alone are fine"
    (problem,) = await engine.check_devices()
    assert problem.startswith("models.complete[1].device: cuda:7 is not on this machine, which has ")
    assert problem.endswith("cpu. Name one of these, or write auto.")
    backend: Any = engine._backend  # pyright: ignore[reportPrivateUsage]
    statuses = await backend.statuses(list(engine.models("complete")))
    assert [(status.spec.name, status.problem) for status in statuses] == [("here", ""), ("lost", sentence)]
    with pytest.raises(ModelUnavailable, match="cuda:7"):
        await engine.run(engine.check(request("lost")))
    assert isinstance(await engine.run(engine.check(request("here"))), Completion)
    await engine.close()


async def test_a_request_that_comes_before_any_check_finds_its_device(engine: Engine) -> None:
    await engine.run(engine.check(request("here")))
    assert [status.device for status in engine.queues()] == [str(find_device("auto"))]


def _broken(module: str) -> ModuleType:
    raise OSError("libtorch.so: undefined symbol")


async def test_a_torch_that_can_not_be_imported_fails_requests_at_once_and_only_as_long_as_it_can_not(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(local, "import_without_pauses", _broken)
        for _ in range(2):
            with pytest.raises(ModelUnavailable, match="here could not be loaded"):
                await asyncio.wait_for(engine.run(engine.check(request("here"))), 20)
        assert [problem.rpartition(": ")[2] for problem in await engine.check_devices()] == [
            f"{name} could not be loaded. Its operator finds the reason in the log." for name in ("here", "far", "gone")
        ]
    assert isinstance(await engine.run(engine.check(request("here"))), Completion)


async def test_a_model_for_which_the_memory_runs_out_at_the_check_is_a_problem(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(self: DeviceWorker, spec: ModelSpec, config: Config, *, probe: bool) -> None:
        if spec.name == "here":
            raise OutOfMemory("The model ran out of memory.")

    monkeypatch.setattr(DeviceWorker, "check", exhausted)
    (problem,) = [problem for problem in await engine.check_devices() if "gone is not downloaded" not in problem]
    assert problem.endswith("The model ran out of memory.")


async def test_a_reload_during_the_check_of_the_devices_refuses_no_model(
    engine: Engine, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, may_end = threading.Event(), threading.Event()

    def exhausted(self: DeviceWorker, spec: ModelSpec, config: Config, *, probe: bool) -> None:
        if not may_end.is_set():
            checking.set()
            assert may_end.wait(20)
            raise OutOfMemory("The model ran out of memory.")

    monkeypatch.setattr(DeviceWorker, "check", exhausted)
    check = asyncio.create_task(engine.check_devices())
    assert await asyncio.to_thread(checking.wait, 20)
    backend: Any = engine._backend  # pyright: ignore[reportPrivateUsage]
    backend.apply(config.model_copy())  # as `Engine.reconfigure` does at its end
    may_end.set()
    await check
    statuses = await backend.statuses([spec for spec in engine.models("complete") if spec.name == "here"])
    assert [status.problem for status in statuses] == [""]
