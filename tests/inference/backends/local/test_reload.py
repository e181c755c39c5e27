"""Another config, while the local backend runs requests."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from inference import (
    Completion,
    Config,
    Engine,
    UnknownModel,
)
from inference.backends.device_worker import DeviceWorker
from inference.backends.local import LocalBackend
from inference.types import ModelSpec
from inference.types.errors import OutOfMemory
from tests.fakes import model_lists
from tests.inference.backends.local.conftest import SlowHub, request
from tests.waiting import until


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
