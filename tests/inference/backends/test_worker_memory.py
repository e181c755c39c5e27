"""Test what a device worker does when memory runs out."""

from __future__ import annotations

import logging
import threading
import weakref

import pytest

from inference.pipelines.pipeline import Batch
from inference.tasks import Completion
from inference.types.errors import (
    OutOfMemory,
)
from tests.inference.backends.scripted import WorkerHarness, answer_all, wait_for


async def test_after_running_out_of_memory_the_batch_members_run_one_by_one(harness: WorkerHarness) -> None:
    def fit_only_one(batch: Batch) -> None:
        if len(batch.jobs) > 1:
            raise MemoryError
        answer_all(batch)

    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    callers = [harness.complete(name, owner=name)[1] for name in ("a", "b", "c")]
    harness.models.pipeline.script = fit_only_one
    go_on.set()
    assert [await caller.outcome() for caller in callers] == [Completion(c, 0) for c in "ABC"]
    assert [len(batch) for batch in harness.models.pipeline.batches] == [1, 3, 1, 1, 1]
    assert harness.models.released >= 1
    await first.outcome()


async def test_no_request_joins_a_retry_after_running_out_of_memory(harness: WorkerHarness) -> None:
    joined: list[int] = []

    def run_out_of_memory(batch: Batch) -> None:
        harness.models.pipeline.script = retry
        started.set()
        assert go_on.wait(10)
        raise MemoryError

    def retry(batch: Batch) -> None:
        harness.models.pipeline.script = answer_all
        joined.append(len(batch.join(1)))
        answer_all(batch)

    started, go_on = threading.Event(), threading.Event()
    harness.models.pipeline.script = run_out_of_memory
    _, first = harness.complete("first")
    await wait_for(started)
    _, newcomer = harness.complete("newcomer", owner="b")
    go_on.set()
    assert [await caller.outcome() for caller in (first, newcomer)] == [
        Completion("FIRST", 0),
        Completion("NEWCOMER", 0),
    ]
    assert joined == [0]
    assert [len(batch) for batch in harness.models.pipeline.batches] == [1, 1, 1]


async def test_a_pipeline_can_free_memory_while_it_runs(harness: WorkerHarness) -> None:
    def free(batch: Batch) -> None:
        batch.free_memory()
        answer_all(batch)

    harness.models.pipeline.script = free
    _, caller = harness.complete("first")
    assert await caller.outcome() == Completion("FIRST", 0)
    assert harness.models.released == 1


async def test_a_single_request_that_needs_too_much_memory_fails_with_out_of_memory(harness: WorkerHarness) -> None:
    def run_out_of_memory(_: Batch) -> None:
        raise MemoryError

    harness.models.pipeline.script = run_out_of_memory
    _, caller = harness.complete("first")
    error = await caller.outcome()
    assert isinstance(error, OutOfMemory)
    assert "smaller" in error.user_message


async def test_the_memory_of_a_failed_run_is_released_before_the_retry(
    harness: WorkerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # captured log records would keep the traceback, and with it the tensor

    class Tensor:
        pass

    alive: list[bool] = []
    last: list[weakref.ref[Tensor]] = []

    def run_out_of_memory(batch: Batch) -> None:
        alive.extend(ref() is not None for ref in last)
        tensor = Tensor()
        last[:] = [weakref.ref(tensor)]
        raise MemoryError(tensor)

    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    callers = [harness.complete(name, owner=name)[1] for name in ("a", "b")]
    harness.models.pipeline.script = run_out_of_memory
    go_on.set()
    for caller in callers:
        assert isinstance(await caller.outcome(), OutOfMemory)
    assert alive == [False, False]
    await first.outcome()
