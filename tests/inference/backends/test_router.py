"""Several backends as one: each model has its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference.backends.router import BackendRouter
from inference.config.schema import Config
from inference.engine import Engine
from inference.tasks import ChatReply, ChatRequest, Message
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.fakes import FakeBackend

CONFIG = Config.model_validate(
    {"models": {"chat": ["org/here", {"openai": "http://h/v1", "name": "there"}], "complete": ["org/here"]}}
)


def routed() -> tuple[FakeBackend, FakeBackend, BackendRouter]:
    local, servers = FakeBackend(), FakeBackend(wrong=["a"], lacking=["b"], unusable={"there": "It is away."})

    def backend_of(spec: ModelSpec) -> FakeBackend:
        return servers if spec.server else local

    return local, servers, BackendRouter((local, servers), backend_of)


async def test_a_request_goes_to_the_backend_of_its_model() -> None:
    local, servers, router = routed()
    engine = Engine(CONFIG, router)
    messages = (Message("user", "Hello"),)
    for model in ("there", "here", "there"):
        reply = await engine.run(engine.check(ChatRequest(messages=messages, model=model)))
        assert isinstance(reply, ChatReply)
    assert (len(local.requests), len(servers.requests)) == (1, 2)
    await engine.close()
    assert local.closed
    assert servers.closed


async def test_states_are_in_the_order_of_the_settings_and_problems_are_those_of_all() -> None:
    _, _, router = routed()
    specs = [spec for _, spec in CONFIG.listed()]
    assert [(status.spec, status.problem) for status in await router.statuses(specs)] == [
        (specs[0], ""),
        (specs[1], "It is away."),
        (specs[2], ""),
    ]
    assert (router.problems(), router.device_problems(), await router.problems_of(CONFIG)) == (["a"], ["b"], ["a"])


async def test_a_model_can_run_if_one_of_its_devices_is_there() -> None:
    there, away = FakeBackend(), FakeBackend(unusable={"m": "It is away."})
    router = BackendRouter((there, away), lambda spec: there if spec.device == "cpu" else away)
    spec = ModelSpec(name="m", task="fill", repo="org/m", device="pc2/cpu", pool=("pc2/cpu", "cpu"))
    await router.require_device(spec)
    with pytest.raises(ModelUnavailable, match="It is away"):
        await router.require_device(replace(spec, pool=("pc2/cpu", "pc3/cpu")))


async def test_what_concerns_all_models_reaches_all_backends() -> None:
    local, servers, router = routed()
    router.pause(True)
    router.apply(CONFIG)
    await router.forget_owner("alice")
    for backend in (local, servers):
        assert (backend.paused, backend.applied, backend.forgotten) == (True, [CONFIG], ["alice"])
    assert len(router.queues()) == 2
