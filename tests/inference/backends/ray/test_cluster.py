"""Models on the devices of a real Ray cluster, whose parts are killed while they work."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from inference import create_engine
from inference.backends.backend import Listener
from inference.backends.ray.backend import RayBackend
from inference.tasks import ImageResult, ImagineRequest
from inference.types import Event, Progress, Result
from inference.types.errors import InferenceError, ModelUnavailable, Overloaded
from inference.types.observations import DeviceUsed, RequestEnded
from tests.fakes import model_lists
from tests.inference.backends.ray.conftest import Bot, config_for, kill_actor, kill_connector
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = 100


def request(seed: int = 7, steps: int = 8, owner: str = "") -> ImagineRequest:
    return ImagineRequest(prompt="a red apple", seed=seed, steps=steps, owner=owner)


async def drawn(bot: Bot, wanted: ImagineRequest) -> bytes:
    output = await bot.engine.run(bot.engine.check(wanted))
    assert isinstance(output, ImageResult)
    return output.pictures[0].png


async def begun(bot: Bot, wanted: ImagineRequest) -> tuple[asyncio.Task[bytes], str]:
    """Begin to draw, and return the picture that will come, and the device that draws."""
    await until(lambda: not bot.running, "something is drawn")
    task = asyncio.create_task(drawn(bot, wanted))
    await until(lambda: bool(bot.running), "nothing is drawn")
    return task, next(iter(bot.running))


async def test_a_picture_from_the_cluster_equals_one_drawn_here_and_its_steps_are_told(
    bot: Bot, tmp_path: Path
) -> None:
    events: list[Event] = []
    async with aclosing(bot.engine.stream(bot.engine.check(request()))) as stream:
        async for event in stream:
            events.append(event)
    local = create_engine(config_for("", tmp_path, device="cpu"))
    here = await local.run(local.check(request()))
    await local.close()
    assert isinstance(events[-1], Result)
    assert events[-1].output == here
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert steps == sorted(steps)
    assert steps[-1] == 8


async def test_requests_are_shared_between_the_devices(bot: Bot) -> None:
    pictures = await asyncio.gather(*(drawn(bot, request(seed, owner=str(seed))) for seed in range(6)))
    assert len(set(pictures)) == 6
    assert {queue.device for queue in bot.engine.queues() if queue.loaded} == {"pc1/cpu", "pc2/cpu"}


async def test_a_request_whose_process_is_killed_is_drawn_elsewhere_with_the_same_seed(bot: Bot) -> None:
    wanted = request(11, LONG)
    task, device = await begun(bot, wanted)
    kill_actor(bot.cluster, device.partition("/")[0])
    assert await task == await drawn(bot, wanted)
    await bot.until_devices("pc1/cpu", "pc2/cpu")


async def test_a_machine_that_is_switched_off_gives_its_requests_to_the_other_one(bot: Bot) -> None:
    wanted = request(12, LONG)
    task, device = await begun(bot, wanted)
    node = device.partition("/")[0]
    bot.cluster.kill(node)
    assert await task == await drawn(bot, wanted)
    assert device not in bot.devices
    bot.cluster.start_node(node)
    await bot.until_devices("pc1/cpu", "pc2/cpu")


async def test_requests_survive_the_end_of_the_connection(bot: Bot) -> None:
    wanted = request(13, LONG)
    task, _ = await begun(bot, wanted)
    kill_connector()
    assert await task == await drawn(bot, wanted)
    await bot.until_devices("pc1/cpu", "pc2/cpu")


async def test_a_cancelled_request_stops_at_its_next_step(bot: Bot) -> None:
    observed: list[RequestEnded] = []
    bot.engine.observe(lambda each: observed.append(each) if isinstance(each, RequestEnded) else None)
    task, _ = await begun(bot, request(14, LONG))
    task.cancel()
    await until(lambda: not bot.running, "it is still drawn")
    assert task.cancelled()
    assert observed[-1].units < LONG


async def test_another_bot_shares_the_devices_and_a_request_that_waits_can_move(bot: Bot) -> None:
    backend = RayBackend(bot.engine.config)
    spec = replace(bot.engine.models("imagine")[0], device="pc1/cpu")
    elsewhere = replace(spec, device="pc2/cpu")
    await until(lambda: None not in (backend.queue(spec), backend.queue(elsewhere)), "the devices are not there")
    first = backend.schedule(spec, request(15, LONG), lambda _: None)
    await until(lambda: bot.running == {"pc1/cpu": 1}, "nothing is drawn")
    events: list[Event | InferenceError] = []
    assert await backend.schedule(spec, request(16), events.append).withdraw()
    backend.schedule(elsewhere, request(16), events.append)
    await until(lambda: any(isinstance(event, Result) for event in events), "it is not drawn")
    assert not any(isinstance(event, InferenceError) for event in events)
    first.cancel()
    await until(lambda: not bot.running, "it is still drawn")
    await backend.close()


@pytest.mark.parametrize(("device", "order"), [("pc2/cpu", ["bob", "ann"]), ("", ["cy", "dan"])])
async def test_a_process_tells_the_cluster_of_its_own_devices_and_not_of_those_of_others(
    bot: Bot, device: str, order: list[str]
) -> None:
    """Other processes with the same cluster have told it themselves."""
    backend = RayBackend(bot.engine.config)
    spec = replace(bot.engine.models("imagine")[0], device="pc1/cpu")
    await until(lambda: backend.queue(spec) is not None, "the device is not there")
    backend.pause(True)
    ended: list[str] = []

    def listener(owner: str) -> Listener:
        return lambda event: ended.append(owner) if isinstance(event, Result) else None

    used_much, other = sorted(order)
    for steps, owner in ((8, used_much), (9, other)):
        backend.schedule(spec, request(steps, steps, owner), listener(owner))
    await until(lambda: (queue := backend.queue(spec)) is not None and queue.waiting == 2, "they do not wait")
    backend.charge(DeviceUsed(device, used_much, "", 100.0))
    await backend.statuses([spec])  # the device has answered, so it has heard of the use before
    backend.pause(False)
    await until(lambda: len(ended) == 2, "they are not drawn")
    assert ended == order
    await backend.close()


async def test_the_limit_of_a_person_holds_on_each_device(bot: Bot) -> None:
    backend = RayBackend(bot.engine.config)
    spec = replace(bot.engine.models("imagine")[0], device="pc1/cpu")
    most = bot.engine.config.limits.per_person
    await until(lambda: backend.queue(spec) is not None, "the device is not there")
    jobs = [backend.schedule(spec, request(seed, LONG, "alice"), lambda _: None) for seed in range(most)]
    with pytest.raises(Overloaded, match=f"You already have {most} requests here"):
        backend.schedule(spec, request(99, owner="alice"), lambda _: None)
    for job in jobs:
        job.cancel()
    await backend.close()
    await until(lambda: not bot.running, "they are still drawn")


async def test_models_are_checked_on_each_device_and_their_states_are_told(bot: Bot, tmp_path: Path) -> None:
    assert await asyncio.to_thread(bot.engine.device_problems) == []
    assert [(status.spec.name, status.problem) for status in await bot.engine.statuses()] == [
        ("emoji-captioner", ""),
        ("emoji-painter", ""),
    ]
    lists = {"caption": ["/no"]}
    missing = bot.engine.config.model_copy(update={"models": model_lists(**lists)})
    problems = await bot.engine.reconfigure(missing)
    assert [problem.partition(". ")[0] for problem in problems] == [
        f"models.caption[0]: On {device}: The model /no is not complete" for device in ("pc1/cpu", "pc2/cpu")
    ]


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("pc2/cuda:0", "pc2 is in the cluster, but lends no cuda:0; it lends pc2/cpu."),
        ("pc9/cpu", "No machine with the name pc9 is in the cluster. The cluster has pc1/cpu, pc2/cpu."),
    ],
)
async def test_a_device_that_is_not_in_the_cluster_is_told_once_with_those_that_are(
    bot: Bot, tmp_path: Path, device: str, sentence: str
) -> None:
    engine = create_engine(config_for(bot.cluster.address, tmp_path, device))
    try:
        assert await asyncio.to_thread(engine.device_problems) == [f"device: {sentence}"]
        with pytest.raises(ModelUnavailable, match=re.escape(sentence)):
            await engine.require_device(engine.check(request()))
    finally:
        await engine.close()


async def test_a_request_has_its_device_as_soon_as_one_of_them_has_answered(bot: Bot, tmp_path: Path) -> None:
    engine = create_engine(config_for(bot.cluster.address, tmp_path, ["pc9/cpu", "pc2/cpu"]))
    await engine.require_device(engine.check(request()))
    assert "pc2/cpu" in {queue.device for queue in engine.queues()}
    await engine.close()
