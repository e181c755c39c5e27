"""Test the thread of one device, without torch: results, queue positions, cancellation, failures and closing."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from inference.config.schema import Config
from inference.limits import Limits
from inference.pipelines.pipeline import Batch
from inference.tasks import CompleteRequest, Completion
from inference.types import Loading, LoadProgress, ModelSpec, Progress, Queued, Result, Started
from inference.types.errors import (
    GenerationFailed,
    ModelUnavailable,
    Overloaded,
    RequestCancelled,
)
from inference.types.observations import BatchEnded, DeviceUsed
from tests.inference.backends.scripted import WorkerHarness, answer, answer_all, wait_for
from tests.waiting import until


async def test_a_request_gets_its_result(harness: WorkerHarness) -> None:
    _, caller = harness.complete("hello")
    assert await caller.outcome() == Completion("HELLO", 0)
    assert caller.events == [Loading(None), Started(), Result(Completion("HELLO", 0))]


async def test_requests_that_arrive_while_the_device_is_busy_run_as_one_batch(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    callers = [harness.complete("first")[1]]
    await wait_for(started)
    callers += [harness.complete(f"later {i}", owner=f"owner {i}")[1] for i in range(3)]
    go_on.set()
    outcomes = [await caller.outcome() for caller in callers]
    assert outcomes[3] == Completion("LATER 2", 0)
    assert [len(batch) for batch in harness.models.pipeline.batches] == [1, 3]


async def test_a_waiting_request_gets_each_queue_position_once(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    _, second = harness.submit(CompleteRequest(prompt="b", owner="b"), model="other")
    _, third = harness.submit(CompleteRequest(prompt="c", owner="c"), model="third")
    go_on.set()
    await third.outcome()
    await second.outcome()
    await first.outcome()
    assert [e.position for e in second.events if isinstance(e, Queued)] == [1]
    assert [e.position for e in third.events if isinstance(e, Queued)] == [2, 1]


async def test_a_download_stops_when_every_caller_has_cancelled(harness: WorkerHarness) -> None:
    started, go_on, stopped = threading.Event(), threading.Event(), threading.Event()

    def fetch(on_progress: LoadProgress) -> None:
        started.set()
        assert go_on.wait(10)
        try:
            on_progress(0.5)
        except RequestCancelled:
            stopped.set()
            raise

    harness.models.fetch = fetch
    job, _ = harness.complete("first")
    await wait_for(started)
    job.cancel()
    go_on.set()
    await wait_for(stopped)
    assert harness.models.pipeline.batches == []


async def test_a_cancelled_queued_request_never_runs(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    job, _ = harness.complete("second")
    _, third = harness.complete("third")
    job.cancel()
    go_on.set()
    await first.outcome()
    await third.outcome()
    prompts = [getattr(r, "prompt", "") for batch in harness.models.pipeline.batches for r in batch]
    assert prompts == ["first", "third"]


async def test_a_cancelled_running_request_stops_at_the_next_yield_point(harness: WorkerHarness) -> None:
    steps: list[int] = []
    two_done, cancelled = threading.Event(), threading.Event()

    def count(batch: Batch) -> None:
        for step in range(100):
            batch.yield_point()
            steps.append(step)
            if step == 1:
                two_done.set()
                assert cancelled.wait(10)

    harness.models.pipeline.script = count
    job, caller = harness.complete("long")
    await wait_for(two_done)
    job.cancel()
    harness.models.pipeline.script = answer_all
    cancelled.set()
    _, after = harness.complete("after")
    assert await after.outcome() == Completion("AFTER", 0)
    assert steps == [0, 1]
    assert not caller.finished.is_set()


async def test_a_batch_continues_until_all_its_requests_are_cancelled(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    started_again, go_on_again = threading.Event(), threading.Event()

    def wait(batch: Batch) -> None:
        started_again.set()
        assert go_on_again.wait(10)
        batch.yield_point()
        answer_all(batch)

    cancelled, cancelled_caller = harness.complete("cancelled", owner="a")
    _, remaining = harness.complete("remaining", owner="b")
    harness.models.pipeline.script = wait
    go_on.set()
    await wait_for(started_again)
    cancelled.cancel()
    go_on_again.set()
    assert await remaining.outcome() == Completion("REMAINING", 0)
    assert not cancelled_caller.finished.is_set()
    await first.outcome()


async def test_a_failure_is_reported_to_its_caller_and_the_next_request_runs(
    harness: WorkerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Batch) -> None:
        harness.models.pipeline.script = answer_all
        raise ValueError("weights are broken")

    harness.models.pipeline.script = broken
    _, caller = harness.complete("first")
    error = await caller.outcome()
    assert isinstance(error, GenerationFailed)
    assert "weights" not in error.user_message
    assert error.error_id in caplog.text
    assert "weights are broken" in caplog.text
    _, after = harness.complete("after")
    assert await after.outcome() == Completion("AFTER", 0)


async def test_a_job_that_the_pipeline_does_not_finish_fails_and_is_logged(
    harness: WorkerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.models.pipeline.script = lambda batch: None
    _, caller = harness.complete("first")
    error = await caller.outcome()
    assert isinstance(error, GenerationFailed)
    assert error.error_id in caplog.text


async def test_a_request_for_a_model_that_cannot_be_loaded_gets_the_error_message_of_the_model(
    harness: WorkerHarness,
) -> None:
    harness.models.unavailable = ModelUnavailable("m is not on this machine.")
    _, caller = harness.complete("first")
    error = await caller.outcome()
    assert isinstance(error, ModelUnavailable)
    assert error.user_message == "m is not on this machine."


async def test_progress_arrives_before_the_result_and_in_order(harness: WorkerHarness) -> None:
    def steps(batch: Batch) -> None:
        for step in (1, 2, 3):
            batch.jobs[0].emit(Progress(step, 3))
        answer_all(batch)

    harness.models.pipeline.script = steps
    _, caller = harness.complete("first")
    await caller.outcome()
    assert caller.events[-4:] == [Progress(1, 3), Progress(2, 3), Progress(3, 3), Result(Completion("FIRST", 0))]


async def test_a_finished_batch_member_frees_its_queue_slot_at_the_next_yield_point() -> None:
    harness = WorkerHarness(Limits(queue=2, per_person=1))
    started, go_on = threading.Event(), threading.Event()
    freed, finish = threading.Event(), threading.Event()

    def finish_one_then_the_other(batch: Batch) -> None:
        started.set()
        assert go_on.wait(10)
        batch.join(1)
        batch.jobs[0].finish(answer(batch.jobs[0].request))
        batch.yield_point()
        freed.set()
        assert finish.wait(10)
        batch.jobs[1].finish(answer(batch.jobs[1].request))
        harness.models.pipeline.script = answer_all

    harness.models.pipeline.script = finish_one_then_the_other
    _, first = harness.complete("first", owner="a")
    await wait_for(started)
    _, second = harness.complete("second", owner="b")
    with pytest.raises(Overloaded):
        harness.complete("too many", owner="c")
    go_on.set()
    await wait_for(freed)
    _, third = harness.complete("third", owner="a")
    finish.set()
    assert [await c.outcome() for c in (first, second, third)] == [
        Completion(t, 0) for t in ("FIRST", "SECOND", "THIRD")
    ]
    await asyncio.to_thread(harness.worker.close)


async def test_closing_the_worker_stops_a_running_batch_at_its_next_yield_point() -> None:
    harness = WorkerHarness(Limits())
    started = threading.Event()

    def long(batch: Batch) -> None:
        started.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            batch.yield_point()

    harness.models.pipeline.script = long
    harness.complete("first")
    await wait_for(started)
    await asyncio.wait_for(asyncio.to_thread(harness.worker.close), 10)


async def test_closing_the_worker_cancels_waiting_requests() -> None:
    harness = WorkerHarness(Limits())
    started, go_on = harness.block_next_batch()
    harness.complete("first")
    await wait_for(started)
    _, waiting = harness.complete("second")
    closing = asyncio.create_task(asyncio.to_thread(harness.worker.close))
    await until(lambda: harness.worker.closing, "The worker did not begin to close.")
    go_on.set()
    await closing
    assert isinstance(await waiting.outcome(), RequestCancelled)
    with pytest.raises(RequestCancelled):
        harness.complete("too late")


async def test_the_status_counts_waiting_and_running_requests(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    _, second = harness.complete("second")
    status = harness.worker.status()
    assert (status.device, status.waiting, status.running) == ("cpu", 1, 1)
    go_on.set()
    await first.outcome()
    await second.outcome()


async def test_what_the_scheduler_has_learned_is_kept_when_work_ends_and_when_the_worker_closes() -> None:
    harness = WorkerHarness(Limits())
    for owner in ("ann", "bob"):
        _, caller = harness.complete("x", owner=owner)
        await caller.outcome()
    await asyncio.to_thread(harness.worker.close)
    assert len(harness.kept) == 2
    assert [next(iter(state.seconds_per_work)).split()[0] for state in harness.kept] == ["complete"] * 2


async def test_how_long_a_request_takes_is_expected_from_those_before_it(harness: WorkerHarness) -> None:
    unknown = ModelSpec(name="m", task="complete", repo="org/m")
    assert harness.worker.expected_seconds(unknown, CompleteRequest(prompt="x")) is None
    job, caller = harness.complete("x")
    assert job.spec == unknown
    await caller.outcome()
    await until(lambda: len(harness.observed) == 2, "the end was not observed")
    seconds = harness.worker.expected_seconds(job.spec, job.request)
    assert seconds is not None
    assert seconds == pytest.approx(next(each.seconds for each in harness.observed if isinstance(each, DeviceUsed)))
    twice = CompleteRequest(prompt="y", max_new_tokens=2 * int(job.request.work))
    assert harness.worker.expected_seconds(job.spec, twice) == pytest.approx(2 * seconds)
    other = replace(job.spec, repo="other")
    assert harness.worker.expected_seconds(other, job.request) is None


async def test_a_batch_is_observed_with_its_size_and_each_owner_with_their_use(
    harness: WorkerHarness,
) -> None:
    started, go_on = harness.block_next_batch()
    callers = [harness.complete("first", owner="0")[1]]
    await wait_for(started)
    callers += [harness.complete(f"later {i}", owner=f"{i}")[1] for i in (1, 2)]
    go_on.set()
    for caller in callers:
        await caller.outcome()
    await until(lambda: len(harness.observed) == 5, "not everything was observed")
    batches = [seen for seen in harness.observed if isinstance(seen, BatchEnded)]
    assert [(batch.device, batch.task, batch.model, batch.size, batch.memory) for batch in batches] == [
        ("cpu", "complete", "m", 1, 7),
        ("cpu", "complete", "m", 2, 7),
    ]
    used = {seen.owner: seen.seconds for seen in harness.observed if isinstance(seen, DeviceUsed)}
    assert set(used) == {"0", "1", "2"}
    assert min(used.values()) > 0


async def test_an_error_in_a_batch_is_logged_with_the_ids_of_its_requests(
    harness: WorkerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(batch: Batch) -> None:
        raise ValueError("a bug in a library")

    harness.models.pipeline.script = fail
    _, caller = harness.complete("first", request_id="ab12cd34")
    error = await caller.outcome()
    assert isinstance(error, GenerationFailed)
    assert f"error {error.error_id} in ab12cd34: " in caplog.text


async def test_a_paused_worker_queues_requests_and_starts_them_when_it_goes_on(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    running = harness.complete("running")[1]
    await wait_for(started)
    harness.worker.pause(True)
    waiting = [harness.complete(f"waiting {i}", owner=f"{i}")[1] for i in range(2)]
    short = harness.mood("short")[1]
    go_on.set()
    assert await running.outcome() == Completion("RUNNING", 0)
    await until(lambda: harness.worker.status().running == 0, "the running batch did not end")
    assert harness.worker.status().waiting == 3
    assert all(event.eta is None for event in waiting[1].events if isinstance(event, Queued))
    harness.worker.pause(False)
    for caller in (*waiting, short):
        assert not isinstance(await caller.outcome(), Exception)


async def test_new_limits_hold_for_requests_that_come_later(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    callers = [harness.complete("first")[1]]
    await wait_for(started)
    callers += [harness.complete("second")[1]]
    harness.worker.apply(Config(limits=Limits(queue=2)))
    with pytest.raises(Overloaded):
        harness.complete("third")
    go_on.set()
    for caller in callers:
        assert isinstance(await caller.outcome(), Completion)
