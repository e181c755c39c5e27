"""One device's thread: cancellation, short jobs between steps, newcomers, failures and memory, without torch."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from inference.config import Limits
from inference.errors import (
    GenerationFailed,
    ModelUnavailable,
    OutOfMemory,
    Overloaded,
    RequestCancelled,
)
from inference.pipelines.base import Batch
from inference.types import (
    CompleteRequest,
    Completion,
    Loading,
    LoadProgress,
    Progress,
    Queued,
    Result,
    SentimentRequest,
    Started,
)
from tests.inference.scripted import Bench, answer, answer_all

if TYPE_CHECKING:
    pass


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench(Limits(queue=8, per_person=8))
    yield bench
    await asyncio.to_thread(bench.worker.close)


async def begun(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)


async def test_a_request_gets_its_result(bench: Bench) -> None:
    _, caller = bench.complete("hello")
    assert await caller.outcome() == Completion("HELLO", 0)
    assert caller.events == [Loading(None), Started(), Result(Completion("HELLO", 0))]


async def test_what_arrives_while_the_device_is_busy_runs_as_one_batch(bench: Bench) -> None:
    started, go_on = bench.hold()
    callers = [bench.complete("first")[1]]
    await begun(started)
    callers += [bench.complete(f"later {i}", owner=f"owner {i}")[1] for i in range(3)]
    go_on.set()
    outcomes = [await caller.outcome() for caller in callers]
    assert outcomes[3] == Completion("LATER 2", 0)
    assert [len(batch) for batch in bench.models.pipeline.batches] == [1, 3]


async def test_who_waits_is_told_each_place_and_never_two_the_same(bench: Bench) -> None:
    started, go_on = bench.hold()
    _, first = bench.complete("first")
    await begun(started)
    _, second = bench.submit(CompleteRequest(prompt="b", owner="b"), model="other")
    _, third = bench.submit(CompleteRequest(prompt="c", owner="c"), model="third")
    go_on.set()
    await third.outcome()
    await second.outcome()
    await first.outcome()
    assert [e.position for e in second.events if isinstance(e, Queued)] == [1]
    assert [e.position for e in third.events if isinstance(e, Queued)] == [2, 1]


async def test_a_download_stops_when_everybody_has_gone(bench: Bench) -> None:
    started, go_on, stopped = threading.Event(), threading.Event(), threading.Event()

    def fetch(on_progress: LoadProgress) -> None:
        started.set()
        assert go_on.wait(10)
        try:
            on_progress(0.5)
        except RequestCancelled:
            stopped.set()
            raise

    bench.models.fetch = fetch
    job, _ = bench.complete("first")
    await begun(started)
    job.cancel()
    go_on.set()
    await begun(stopped)
    assert bench.models.pipeline.batches == []


async def test_a_queued_request_that_is_cancelled_never_runs(bench: Bench) -> None:
    started, go_on = bench.hold()
    _, first = bench.complete("first")
    await begun(started)
    job, _ = bench.complete("second")
    _, third = bench.complete("third")
    job.cancel()
    go_on.set()
    await first.outcome()
    await third.outcome()
    prompts = [getattr(r, "prompt", "") for batch in bench.models.pipeline.batches for r in batch]
    assert prompts == ["first", "third"]


async def test_a_running_request_that_is_cancelled_stops_at_the_next_checkpoint(bench: Bench) -> None:
    steps: list[int] = []
    two_done, cancelled = threading.Event(), threading.Event()

    def count(batch: Batch) -> None:
        for step in range(100):
            batch.checkpoint()
            steps.append(step)
            if step == 1:
                two_done.set()
                assert cancelled.wait(10)

    bench.models.pipeline.script = count
    job, caller = bench.complete("long")
    await begun(two_done)
    job.cancel()
    bench.models.pipeline.script = answer_all
    cancelled.set()
    _, after = bench.complete("after")
    assert await after.outcome() == Completion("AFTER", 0)
    assert steps == [0, 1]
    assert not caller.ended.is_set()


async def test_a_batch_goes_on_while_anyone_in_it_still_wants_it(bench: Bench) -> None:
    started, go_on = bench.hold()
    _, first = bench.complete("first")
    await begun(started)
    started_again, go_on_again = threading.Event(), threading.Event()

    def wait(batch: Batch) -> None:
        started_again.set()
        assert go_on_again.wait(10)
        batch.checkpoint()
        answer_all(batch)

    leaver, left = bench.complete("leaver", owner="a")
    _, stayer = bench.complete("stayer", owner="b")
    bench.models.pipeline.script = wait
    go_on.set()
    await begun(started_again)
    leaver.cancel()
    go_on_again.set()
    assert await stayer.outcome() == Completion("STAYER", 0)
    assert not left.ended.is_set()
    await first.outcome()


async def test_a_short_request_runs_between_two_steps_of_a_long_one(bench: Bench) -> None:
    order: list[str] = []
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        bench.models.pipeline.script = short
        order.append("step 1")
        first_step.set()
        assert go_on.wait(10)
        batch.checkpoint()
        order.append("step 2")
        answer_all(batch)

    def short(batch: Batch) -> None:
        order.append("mood")
        answer_all(batch)

    bench.models.pipeline.script = draw
    _, long = bench.complete("picture")
    await begun(first_step)
    _, quick = bench.mood()
    go_on.set()
    await quick.outcome()
    await long.outcome()
    assert order == ["step 1", "mood", "step 2"]


async def test_however_many_short_requests_come_the_long_one_gets_its_next_step(bench: Bench) -> None:
    order: list[str] = []
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        bench.models.pipeline.script = short
        first_step.set()
        assert go_on.wait(10)
        for step in (1, 2):
            batch.checkpoint()
            order.append(f"step {step}")
        answer_all(batch)

    def short(batch: Batch) -> None:
        order.append("short")
        answer_all(batch)

    bench.models.pipeline.script = draw
    _, long = bench.complete("picture")
    await begun(first_step)
    quick = [bench.submit(SentimentRequest(text="fine", owner=str(i)), model=f"m{i}")[1] for i in range(2)]
    go_on.set()
    for caller in (long, *quick):
        await caller.outcome()
    assert order == ["short", "step 1", "short", "step 2"]


async def test_a_short_request_waits_if_its_model_has_no_room_beside_the_running_one(bench: Bench) -> None:
    started, go_on = bench.hold()
    bench.models.without_room = {"m"}
    _, long = bench.complete("picture")
    await begun(started)
    _, quick = bench.mood()
    go_on.set()
    await long.outcome()
    await quick.outcome()
    assert [batch[0].task for batch in bench.models.pipeline.batches] == ["complete", "mood"]
    assert "picture" in str(bench.models.pipeline.batches[0])


async def test_a_failed_short_request_does_not_hurt_the_long_one(bench: Bench) -> None:
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        def broken(_: Batch) -> None:
            raise ValueError("weights are haunted")

        bench.models.pipeline.script = broken
        first_step.set()
        assert go_on.wait(10)
        batch.checkpoint()
        answer_all(batch)

    bench.models.pipeline.script = draw
    _, long = bench.complete("picture")
    await begun(first_step)
    _, quick = bench.mood()
    go_on.set()
    assert isinstance(await quick.outcome(), GenerationFailed)
    assert await long.outcome() == Completion("PICTURE", 0)


async def test_newcomers_join_a_running_batch(bench: Bench) -> None:
    started, go_on = threading.Event(), threading.Event()

    def grow(batch: Batch) -> None:
        started.set()
        assert go_on.wait(10)
        assert len(batch.join(1)) == 1
        answer_all(batch)
        bench.models.pipeline.script = answer_all

    bench.models.pipeline.script = grow
    _, first = bench.complete("first")
    await begun(started)
    _, second = bench.complete("second", owner="b")
    _, third = bench.complete("third", owner="c")
    go_on.set()
    for caller in (first, second, third):
        assert isinstance(await caller.outcome(), Completion)
    assert [len(batch) for batch in bench.models.pipeline.batches] == [1, 1]


async def test_a_failure_reaches_its_caller_and_the_next_request_runs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Batch) -> None:
        bench.models.pipeline.script = answer_all
        raise ValueError("weights are haunted")

    bench.models.pipeline.script = broken
    _, caller = bench.complete("first")
    error = await caller.outcome()
    assert isinstance(error, GenerationFailed)
    assert "haunted" not in error.user_message
    assert error.error_id in caplog.text
    assert "weights are haunted" in caplog.text
    _, after = bench.complete("after")
    assert await after.outcome() == Completion("AFTER", 0)


async def test_a_job_that_the_pipeline_forgets_fails_at_once_and_the_log_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.models.pipeline.script = lambda batch: None
    _, caller = bench.complete("first")
    error = await caller.outcome()
    assert isinstance(error, GenerationFailed)
    assert error.error_id in caplog.text


async def test_a_model_that_can_not_be_loaded_fails_its_requests_with_its_sentence(bench: Bench) -> None:
    bench.models.unavailable = ModelUnavailable("m is not on this machine.")
    _, caller = bench.complete("first")
    error = await caller.outcome()
    assert isinstance(error, ModelUnavailable)
    assert error.user_message == "m is not on this machine."


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


async def test_progress_arrives_before_the_result_and_in_order(bench: Bench) -> None:
    def steps(batch: Batch) -> None:
        for step in (1, 2, 3):
            batch.jobs[0].emit(Progress(step, 3))
        answer_all(batch)

    bench.models.pipeline.script = steps
    _, caller = bench.complete("first")
    await caller.outcome()
    assert caller.events[-4:] == [Progress(1, 3), Progress(2, 3), Progress(3, 3), Result(Completion("FIRST", 0))]


async def test_the_place_of_a_batch_member_that_ended_is_free_at_the_next_checkpoint() -> None:
    bench = Bench(Limits(queue=2, per_person=1))
    started, go_on = threading.Event(), threading.Event()
    freed, end = threading.Event(), threading.Event()

    def one_then_the_other(batch: Batch) -> None:
        started.set()
        assert go_on.wait(10)
        batch.join(1)
        batch.jobs[0].finish(answer(batch.jobs[0].request))
        batch.checkpoint()
        freed.set()
        assert end.wait(10)
        batch.jobs[1].finish(answer(batch.jobs[1].request))
        bench.models.pipeline.script = answer_all

    bench.models.pipeline.script = one_then_the_other
    _, first = bench.complete("first", owner="a")
    await begun(started)
    _, second = bench.complete("second", owner="b")
    with pytest.raises(Overloaded):
        bench.complete("too many", owner="c")
    go_on.set()
    await begun(freed)
    _, third = bench.complete("third", owner="a")
    end.set()
    assert [await c.outcome() for c in (first, second, third)] == [
        Completion(t, 0) for t in ("FIRST", "SECOND", "THIRD")
    ]
    await asyncio.to_thread(bench.worker.close)


async def test_closing_stops_what_runs_at_its_next_checkpoint() -> None:
    bench = Bench(Limits())
    started = threading.Event()

    def endless(batch: Batch) -> None:
        while True:
            started.set()
            batch.checkpoint()

    bench.models.pipeline.script = endless
    bench.complete("first")
    await begun(started)
    await asyncio.wait_for(asyncio.to_thread(bench.worker.close), 10)


async def test_closing_tells_those_who_wait() -> None:
    bench = Bench(Limits())
    started, go_on = bench.hold()
    bench.complete("first")
    await begun(started)
    _, waiting = bench.complete("second")

    def go_on_once_closing() -> None:
        while not bench.worker.closing:
            time.sleep(0.001)
        go_on.set()

    await asyncio.gather(asyncio.to_thread(bench.worker.close), asyncio.to_thread(go_on_once_closing))
    assert isinstance(await waiting.outcome(), RequestCancelled)
    with pytest.raises(RequestCancelled):
        bench.complete("too late")


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


async def test_the_status_counts_what_waits_and_runs(bench: Bench) -> None:
    started, go_on = bench.hold()
    _, first = bench.complete("first")
    await begun(started)
    _, second = bench.complete("second")
    status = bench.worker.status()
    assert (status.device, status.waiting, status.running) == ("cpu", 1, 1)
    go_on.set()
    await first.outcome()
    await second.outcome()
