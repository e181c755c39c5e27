"""The devices of the local backend: how they are found, shared and refused."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from inference import (
    Completion,
    Config,
    DeviceUsed,
    Engine,
    Limits,
    ModelUnavailable,
    Observation,
)
from inference.backends import local
from inference.backends.device_worker import DeviceWorker
from inference.backends.local import LocalBackend
from inference.pipelines.devices import find_device
from inference.types import ModelSpec
from inference.types.errors import OutOfMemory
from tests.fakes import model_lists
from tests.inference.backends.local.conftest import SlowHub, request
from tests.waiting import until


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
    observed: list[Observation] = []
    engine = Engine(config, LocalBackend(config, fake_hub, observed.append))

    def served() -> list[str]:
        """Return whom the device has worked for, in this order."""
        return [each.owner for each in list(observed) if isinstance(each, DeviceUsed) and each.owner]

    if when != "later":
        engine.charge(use)
    await engine.run(engine.check(request("here")))
    engine.pause(True)
    asked = [asyncio.create_task(engine.run(engine.check(request("here", owner)))) for owner in ("ann", "bob")]
    await until(lambda: engine.queues()[0].waiting == 2, "they do not wait")
    if when == "later":
        engine.charge(use)
    engine.pause(False)
    await asyncio.gather(*asked)
    await until(lambda: len(served()) == 2, "the use is not told")
    assert served() == ["bob", "ann"]
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
