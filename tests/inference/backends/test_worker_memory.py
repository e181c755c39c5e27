"""What a device does when memory runs out."""

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
from tests.inference.backends.scripted import Bench, answer_all, begun


async def test_when_memory_runs_out_the_members_run_one_by_one(bench: Bench) -> None:
    def only_one_fits(batch: Batch) -> None:
        if len(batch.jobs) > 1:
            raise MemoryError
        answer_all(batch)

    started, go_on = bench.hold()
    _, first = bench.complete("first")
    await begun(started)
    callers = [bench.complete(name, owner=name)[1] for name in ("a", "b", "c")]
    bench.models.pipeline.script = only_one_fits
    go_on.set()
    assert [await caller.outcome() for caller in callers] == [Completion(c, 0) for c in "ABC"]
    assert [len(batch) for batch in bench.models.pipeline.batches] == [1, 3, 1, 1, 1]
    assert bench.models.released >= 1
    await first.outcome()


async def test_a_request_that_is_tried_again_for_memory_takes_no_newcomers_in(bench: Bench) -> None:
    joined: list[int] = []

    def too_big(batch: Batch) -> None:
        bench.models.pipeline.script = again
        started.set()
        assert go_on.wait(10)
        raise MemoryError

    def again(batch: Batch) -> None:
        bench.models.pipeline.script = answer_all
        joined.append(len(batch.join(1)))
        answer_all(batch)

    started, go_on = threading.Event(), threading.Event()
    bench.models.pipeline.script = too_big
    _, first = bench.complete("first")
    await begun(started)
    _, newcomer = bench.complete("newcomer", owner="b")
    go_on.set()
    assert [await caller.outcome() for caller in (first, newcomer)] == [
        Completion("FIRST", 0),
        Completion("NEWCOMER", 0),
    ]
    assert joined == [0]
    assert [len(batch) for batch in bench.models.pipeline.batches] == [1, 1, 1]


async def test_a_pipeline_may_have_memory_freed_in_the_middle_of_its_work(bench: Bench) -> None:
    def free(batch: Batch) -> None:
        batch.free_memory()
        answer_all(batch)

    bench.models.pipeline.script = free
    _, caller = bench.complete("first")
    assert await caller.outcome() == Completion("FIRST", 0)
    assert bench.models.released == 1


async def test_a_single_request_that_needs_too_much_memory_is_told_so(bench: Bench) -> None:
    def too_big(_: Batch) -> None:
        raise MemoryError

    bench.models.pipeline.script = too_big
    _, caller = bench.complete("first")
    error = await caller.outcome()
    assert isinstance(error, OutOfMemory)
    assert "smaller" in error.user_message


async def test_a_run_that_failed_for_memory_is_let_go_before_the_next_try(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # records kept for the test would keep the traceback, and so the tensor

    class Tensor:
        pass

    alive: list[bool] = []
    last: list[weakref.ref[Tensor]] = []

    def too_big(batch: Batch) -> None:
        alive.extend(ref() is not None for ref in last)
        tensor = Tensor()
        last[:] = [weakref.ref(tensor)]
        raise MemoryError(tensor)

    started, go_on = bench.hold()
    _, first = bench.complete("first")
    await begun(started)
    callers = [bench.complete(name, owner=name)[1] for name in ("a", "b")]
    bench.models.pipeline.script = too_big
    go_on.set()
    for caller in callers:
        assert isinstance(await caller.outcome(), OutOfMemory)
    assert alive == [False, False]
    await first.outcome()
