"""Models with several devices: where requests start, how they move, and what happens if a device goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from inference.backends.backend import Listener, ModelStatus, QueueStatus
from inference.backends.device_pools import DevicePools
from inference.tasks import CompleteRequest, Completion, Request
from inference.types import Event, ModelSpec, Queued, Result, Started
from inference.types.errors import DeviceLost, GenerationFailed, InferenceError, ModelUnavailable, Overloaded
from inference.types.observations import DeviceUsed, ModelLoaded
from tests.fakes import FakeBackend, FakeTicket
from tests.inference.backends.scripted import Caller
from tests.waiting import until

POOL = ModelSpec(name="m", task="complete", repo="org/m", device="cuda:0", pool=("cuda:0", "cuda:1"))
FIRST, SECOND = POOL.placements
REQUEST = CompleteRequest(prompt="a")
DONE = Result(Completion("b", 1))


@dataclass
class Placed:
    """A request on a device of the fake backend."""

    spec: ModelSpec
    listener: Listener
    ticket: FakeTicket


@dataclass
class FakeDevices(FakeBackend):
    """A backend with two devices, whose queues, memory and answers the tests decide."""

    etas: dict[str, float | None] = field(default_factory=lambda: dict[str, float | None]())
    """The seconds until a new request would start, by device; by default 0 if nothing runs, else unknown."""
    members: list[str] = field(default_factory=list[str])
    """The devices of the cluster."""
    away: set[str] = field(default_factory=set[str])
    full: set[str] = field(default_factory=set[str])
    copies: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Names of models and the devices that have them in memory."""
    placed: list[Placed] = field(default_factory=list[Placed])

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> FakeTicket:
        if spec.device in self.full:
            raise Overloaded("The queue is full.", 5.0)
        self.placed.append(Placed(spec, listener, FakeTicket(device=spec.device)))
        return self.placed[-1].ticket

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        if spec.device in self.away:
            return None
        count = sum(each.spec.device == spec.device for each in self.placed)
        return QueueStatus(
            spec.device, max(0, count - 1), min(1, count), self.etas.get(spec.device, 0.0 if not count else None)
        )

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        if spec.device == "cluster":
            return [replace(spec, device=device) for device in self.members]
        return list(spec.placements)

    def loaded(self, spec: ModelSpec) -> bool:
        return (spec.name, spec.device) in self.copies

    async def unload(self, spec: ModelSpec) -> bool:
        self.copies.discard((spec.name, spec.device))
        return True

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        return [ModelStatus(spec, "loaded" if self.loaded(spec) else "on disk", 7) for spec in specs]

    def tell(self, index: int, *events: Event | InferenceError) -> None:
        """Send events to the listener of a placed request; the last one ends it if it is a result or an error."""
        placed = self.placed[index]
        for event in events:
            if isinstance(event, Result | InferenceError):
                self.placed.remove(placed)
            placed.listener(event)

    @property
    def devices(self) -> list[str]:
        return [each.spec.device for each in self.placed]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def devices() -> FakeDevices:
    return FakeDevices(copies={("m", "cuda:0")})


async def test_a_request_goes_to_the_device_that_has_the_model_before_an_idle_one(devices: FakeDevices) -> None:
    devices.copies = {("m", "cuda:1")}
    ticket = DevicePools(devices).schedule(POOL, REQUEST, Caller())
    assert (devices.devices, ticket.device) == (["cuda:1"], "cuda:1")


async def test_a_busy_model_gets_a_copy_when_its_queue_is_longer_than_loading(devices: FakeDevices) -> None:
    pools = DevicePools(devices)
    pools.observe(ModelLoaded("cuda:0", "m", 7, seconds=3.0))
    for seconds, device in ((2.9, "cuda:0"), (3.1, "cuda:1")):
        devices.etas = {"cuda:0": seconds, "cuda:1": 0.0}
        pools.schedule(POOL, REQUEST, Caller())
        assert devices.devices[-1] == device


async def test_a_full_queue_is_passed_over_and_only_full_devices_refuse(devices: FakeDevices) -> None:
    clock = Clock()
    pools = DevicePools(devices, clock)
    clock.now = 121.0
    devices.full = {"cuda:0"}
    pools.schedule(POOL, REQUEST, Caller())
    assert devices.devices == ["cuda:1"]
    devices.full = {"cuda:0", "cuda:1"}
    with pytest.raises(Overloaded):
        pools.schedule(POOL, REQUEST, Caller())


async def test_after_a_start_requests_wait_for_room_instead_of_a_refusal(devices: FakeDevices) -> None:
    pools = DevicePools(devices)
    devices.full = {"cuda:0", "cuda:1"}
    caller = Caller()
    pools.schedule(POOL, REQUEST, caller)
    assert (devices.devices, caller.events) == ([], [Queued(1)])
    devices.full = {"cuda:0"}
    await until(lambda: "cuda:1" in devices.devices, "it still waits")


async def test_a_waiting_request_moves_to_a_device_that_has_become_idle(devices: FakeDevices) -> None:
    devices.copies |= {("m", "cuda:1")}
    pools = DevicePools(devices)
    callers = [Caller() for _ in range(3)]
    for caller in callers:
        pools.schedule(POOL, REQUEST, caller)
    assert devices.devices == ["cuda:0", "cuda:1", "cuda:0"]
    devices.tell(0, Started())
    late = devices.placed[2]
    devices.tell(1, Started(), DONE)
    await until(lambda: late in devices.placed and devices.devices.count("cuda:1") == 1, "it does not move")
    late.listener(Started())  # of the place that it has left
    assert callers[2].events == []
    devices.tell(2, Started(), DONE)
    assert callers[2].events == [Started(), DONE]


async def test_a_request_that_has_begun_stays_where_it_is(devices: FakeDevices) -> None:
    devices.copies |= {("m", "cuda:1")}
    pools = DevicePools(devices)
    for _ in range(3):
        pools.schedule(POOL, REQUEST, Caller())
    devices.tell(2, Started())
    devices.placed[0].ticket.waits = devices.placed[2].ticket.waits = False
    devices.tell(1, DONE)
    pools.schedule(POOL, REQUEST, Caller())
    assert devices.devices == ["cuda:0", "cuda:0", "cuda:1"]
    await asyncio.sleep(0.05)
    assert devices.devices == ["cuda:0", "cuda:0", "cuda:1"]


async def test_a_request_whose_device_has_gone_is_done_by_another_one(devices: FakeDevices) -> None:
    caller = Caller()
    DevicePools(devices).schedule(POOL, REQUEST, caller)
    devices.away = {"cuda:0"}
    devices.tell(0, Started(), DeviceLost("gone"))
    assert devices.devices == ["cuda:1"]
    devices.tell(0, Started(), DONE)
    assert caller.events == [Started(), Started(), DONE]


async def test_a_model_that_one_device_lacks_is_run_by_the_other_and_only_told_if_both_lack_it(
    devices: FakeDevices,
) -> None:
    pools, caller = DevicePools(devices), Caller()
    pools.schedule(POOL, REQUEST, caller)
    devices.tell(0, ModelUnavailable("The folder is missing."))
    assert (devices.devices, caller.events) == (["cuda:1"], [])
    pools.schedule(POOL, REQUEST, Caller())
    assert devices.devices == ["cuda:1", "cuda:1"]
    devices.tell(0, ModelUnavailable("The folder is missing."))
    assert [type(event) for event in caller.events] == [ModelUnavailable]


async def test_without_any_device_a_request_waits_until_one_is_back(devices: FakeDevices) -> None:
    caller = Caller()
    alone = replace(POOL, pool=())
    pools = DevicePools(devices)
    pools.schedule(alone, REQUEST, caller)
    devices.away = {"cuda:0"}
    devices.tell(0, Started(), DeviceLost("gone"))
    assert (devices.devices, caller.events) == ([], [Started(), Queued(1, device_is_away=True)])
    devices.away = set()
    pools.schedule(alone, REQUEST, Caller())  # something happens
    await until(lambda: len(devices.placed) == 2, "it does not go back")


async def test_a_device_that_stays_away_is_told_to_those_who_wait_and_to_those_who_come(devices: FakeDevices) -> None:
    clock, caller = Clock(), Caller()
    pools = DevicePools(devices, clock)
    devices.away = {"cuda:0", "cuda:1"}
    pools.schedule(POOL, REQUEST, caller)
    clock.now = 301.0
    with pytest.raises(ModelUnavailable, match="device does not answer"):
        pools.schedule(POOL, REQUEST, Caller())
    await until(lambda: len(caller.events) == 2, "it still waits")
    assert isinstance(caller.events[1], ModelUnavailable)


async def test_a_request_that_loses_its_device_three_times_is_not_tried_again(devices: FakeDevices) -> None:
    caller = Caller()
    DevicePools(devices).schedule(POOL, REQUEST, caller)
    for _ in range(3):
        devices.tell(0, Started(), DeviceLost("gone"))
    assert devices.placed == []
    assert isinstance(caller.events[-1], GenerationFailed)


async def test_cancelling_reaches_the_device_and_ends_all_events(devices: FakeDevices) -> None:
    caller = Caller()
    ticket = DevicePools(devices).schedule(POOL, REQUEST, caller)
    ticket.cancel()
    assert devices.placed[0].ticket.cancelled
    devices.tell(0, DONE)
    assert caller.events == []


async def test_copies_leave_the_memory_when_unused_but_the_last_one_stays(devices: FakeDevices) -> None:
    devices.copies |= {("m", "cuda:1")}
    clock = Clock()
    pools = DevicePools(devices, clock)
    for now, busy in ((0.0, "cuda:1"), (200.0, "cuda:0"), (301.0, "cuda:0")):
        clock.now = now
        devices.etas = {busy: 60.0}
        pools.schedule(POOL, REQUEST, Caller())
        devices.tell(0, DONE)
    await until(lambda: devices.copies == {("m", "cuda:1")}, "the unused copy stays")
    clock.now = 1000.0
    pools.schedule(replace(POOL, name="n", repo="org/n"), REQUEST, Caller())
    devices.tell(0, DONE)  # lets the copies be looked at again
    for _ in range(50):
        await asyncio.sleep(0)
    assert devices.copies == {("m", "cuda:1")}


async def test_devices_that_join_a_cluster_get_what_waits(devices: FakeDevices) -> None:
    cluster = replace(POOL, device="cluster", pool=())
    pools, callers = DevicePools(devices), [Caller(), Caller()]
    devices.members = ["cuda:0"]
    for caller in callers:
        pools.schedule(cluster, REQUEST, caller)
    devices.tell(0, Started())
    devices.members = ["cuda:0", "cuda:1"]
    pools.observe(ModelLoaded("cuda:0", "m", 7, seconds=0.5))
    await until(lambda: "cuda:1" in devices.devices, "nothing has moved")


async def test_only_losses_during_the_work_count(devices: FakeDevices) -> None:
    caller = Caller()
    DevicePools(devices).schedule(POOL, REQUEST, caller)
    for _ in range(5):
        devices.tell(0, DeviceLost("gone"))
    assert len(devices.placed) == 1
    assert caller.events == []


async def test_a_device_that_has_gone_a_moment_ago_is_waited_for(devices: FakeDevices) -> None:
    clock, caller = Clock(), Caller()
    pools = DevicePools(devices, clock)
    pools.schedule(POOL, REQUEST, Caller())
    clock.now = 1000.0
    devices.away = {"cuda:0", "cuda:1"}
    pools.schedule(POOL, REQUEST, caller)
    assert caller.events == [Queued(1, device_is_away=True)]


async def test_requests_that_wait_for_a_device_are_counted_in_a_queue_without_a_name(devices: FakeDevices) -> None:
    pools = DevicePools(devices)
    here = devices.queues()
    pools.schedule(POOL, REQUEST, Caller())
    assert pools.queues() == here
    cluster = replace(POOL, device="cluster", pool=())
    tickets = [pools.schedule(cluster, REQUEST, Caller()) for _ in range(2)]
    assert pools.queues() == [*here, QueueStatus("", 2, 0, None)]
    tickets[0].cancel()
    devices.members = ["cuda:1"]
    pools.schedule(cluster, REQUEST, Caller())
    await until(lambda: pools.queues() == here, "it still waits")


async def test_a_model_without_a_device_is_said_to_have_none(devices: FakeDevices) -> None:
    cluster = replace(POOL, device="cluster", pool=())
    [status] = await DevicePools(devices).statuses([cluster])
    assert (status.spec, status.state) == (cluster, "device away")


async def test_use_of_one_device_counts_on_the_others(devices: FakeDevices) -> None:
    use = DeviceUsed("cuda:0", "alice", "", 3.0)
    DevicePools(devices).observe(use)
    assert devices.charged == [use]


async def test_the_state_of_a_model_is_that_of_its_best_device(devices: FakeDevices) -> None:
    devices.copies = {("m", "cuda:1")}
    pools = DevicePools(devices)
    assert [(status.spec, status.state) for status in await pools.statuses([POOL])] == [(POOL, "loaded")]
    assert pools.loaded(POOL)
    await pools.unload(POOL)
    assert devices.copies == set()
