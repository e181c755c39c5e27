"""Test which positions waiting requests are told while a device is busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from inference.limits import Limits
from inference.tasks import CompleteRequest
from inference.types import Queued
from tests.inference.backends.scripted import Caller, WorkerHarness, wait_for
from tests.waiting import until


@pytest.fixture
async def busy() -> AsyncIterator[WorkerHarness]:
    """A device whose first batch goes on until the end of the test."""
    harness = WorkerHarness(Limits(queue=1000, per_person=8))
    started, go_on = harness.block_next_batch()
    harness.complete("first")
    await wait_for(started)
    yield harness
    closing = asyncio.create_task(asyncio.to_thread(harness.worker.close))
    await until(lambda: harness.worker.closing, "The worker did not begin to close.")
    go_on.set()
    await closing


def position(caller: Caller) -> int:
    """Return the last position that the caller was told; 0 if none."""
    return [0, *(event.position for event in caller.events if isinstance(event, Queued))][-1]


async def test_a_new_request_is_told_its_position_at_once(busy: WorkerHarness) -> None:
    callers = [busy.complete("x", owner=f"owner {i}")[1] for i in range(300)]
    await asyncio.sleep(0)
    assert [position(caller) for caller in callers] == [*range(1, 301)]


async def test_every_position_becomes_true_after_a_request_leaves_the_queue(busy: WorkerHarness) -> None:
    waiting = [busy.complete("x", owner=f"owner {i}") for i in range(600)]
    await asyncio.sleep(0)
    waiting[0][0].cancel()
    callers = [caller for _, caller in waiting[1:]]
    await until(lambda: [position(caller) for caller in callers] == [*range(1, 600)], "Not all positions became true.")
    told = [len([event for event in caller.events if isinstance(event, Queued)]) for caller in callers]
    assert told == [2] * 599


async def test_those_who_are_overtaken_are_told(busy: WorkerHarness) -> None:
    _, second = busy.complete("x", owner="ann")
    _, third = busy.complete("x", owner="ann")
    _, newcomer = busy.complete("x", owner="bob")
    await until(lambda: [position(caller) for caller in (second, newcomer, third)] == [1, 2, 3], "Not told.")


async def test_a_request_that_was_cancelled_in_the_queue_frees_its_place_at_once(busy: WorkerHarness) -> None:
    job, _ = busy.submit(CompleteRequest(prompt="x", owner="ann"))
    assert busy.worker.status().waiting == 1
    job.cancel()
    assert busy.worker.status().waiting == 0
