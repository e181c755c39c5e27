"""One device's thread: cancellation, short jobs between steps, newcomers, failures and memory, without torch."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from inference.limits import Limits
from inference.pipelines.pipeline import Batch
from inference.tasks import CompleteRequest, Completion
from inference.types import Loading, LoadProgress, Progress, Queued, Result, Started
from inference.types.errors import (
    GenerationFailed,
    ModelUnavailable,
    Overloaded,
    RequestCancelled,
)
from tests.inference.backends.scripted import Bench, answer, answer_all, begun
from tests.waiting import until


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
            batch.yield_point()
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
        batch.yield_point()
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
        batch.yield_point()
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

    def long(batch: Batch) -> None:
        started.set()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            batch.yield_point()

    bench.models.pipeline.script = long
    bench.complete("first")
    await begun(started)
    await asyncio.wait_for(asyncio.to_thread(bench.worker.close), 10)


async def test_closing_tells_those_who_wait() -> None:
    bench = Bench(Limits())
    started, go_on = bench.hold()
    bench.complete("first")
    await begun(started)
    _, waiting = bench.complete("second")
    closing = asyncio.create_task(asyncio.to_thread(bench.worker.close))
    await until(lambda: bench.worker.closing, "The worker did not begin to close.")
    go_on.set()
    await closing
    assert isinstance(await waiting.outcome(), RequestCancelled)
    with pytest.raises(RequestCancelled):
        bench.complete("too late")


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
