"""Test how requests share a device: short jobs run between steps of long ones, and requests join a batch."""

from __future__ import annotations

import threading

import pytest

from inference.pipelines.pipeline import Batch
from inference.tasks import (
    AskRequest,
    CompleteRequest,
    Completion,
    ImagineRequest,
    SentimentRequest,
    SentimentResult,
)
from inference.types import Queued, Started
from inference.types.errors import (
    GenerationFailed,
)
from tests.inference.backends.scripted import WorkerHarness, answer_all, wait_for


async def test_a_short_request_runs_between_two_steps_of_a_long_one(harness: WorkerHarness) -> None:
    order: list[str] = []
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        harness.models.pipeline.script = short
        order.append("step 1")
        first_step.set()
        assert go_on.wait(10)
        batch.yield_point()
        order.append("step 2")
        answer_all(batch)

    def short(batch: Batch) -> None:
        order.append("mood")
        answer_all(batch)

    harness.models.pipeline.script = draw
    _, long = harness.complete("picture")
    await wait_for(first_step)
    _, quick = harness.mood()
    go_on.set()
    await quick.outcome()
    await long.outcome()
    assert order == ["step 1", "mood", "step 2"]


async def test_only_one_short_request_runs_between_two_steps_of_a_long_one(harness: WorkerHarness) -> None:
    order: list[str] = []
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        harness.models.pipeline.script = short
        first_step.set()
        assert go_on.wait(10)
        for step in (1, 2):
            batch.yield_point()
            order.append(f"step {step}")
        answer_all(batch)

    def short(batch: Batch) -> None:
        order.append("short")
        answer_all(batch)

    harness.models.pipeline.script = draw
    _, long = harness.complete("picture")
    await wait_for(first_step)
    quick = [harness.submit(SentimentRequest(texts=("fine",), owner=str(i)), model=f"m{i}")[1] for i in range(2)]
    go_on.set()
    for caller in (long, *quick):
        await caller.outcome()
    assert order == ["short", "step 1", "short", "step 2"]


async def test_a_short_request_waits_if_its_model_does_not_fit_in_memory_next_to_the_running_one(
    harness: WorkerHarness,
) -> None:
    started, go_on = harness.block_next_batch()
    harness.models.not_fitting = {"m"}
    _, long = harness.complete("picture")
    await wait_for(started)
    _, quick = harness.mood()
    go_on.set()
    await long.outcome()
    await quick.outcome()
    assert [batch[0].task for batch in harness.models.pipeline.batches] == ["complete", "mood"]
    assert "picture" in str(harness.models.pipeline.batches[0])


async def test_a_failed_short_request_does_not_affect_the_long_one(harness: WorkerHarness) -> None:
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        def broken(_: Batch) -> None:
            raise ValueError("weights are broken")

        harness.models.pipeline.script = broken
        first_step.set()
        assert go_on.wait(10)
        batch.yield_point()
        answer_all(batch)

    harness.models.pipeline.script = draw
    _, long = harness.complete("picture")
    await wait_for(first_step)
    _, quick = harness.mood()
    go_on.set()
    assert isinstance(await quick.outcome(), GenerationFailed)
    assert await long.outcome() == Completion("PICTURE", 0)


async def test_a_new_request_joins_a_running_batch(harness: WorkerHarness) -> None:
    started, go_on = threading.Event(), threading.Event()

    def grow(batch: Batch) -> None:
        started.set()
        assert go_on.wait(10)
        assert len(batch.join(1)) == 1
        answer_all(batch)
        harness.models.pipeline.script = answer_all

    harness.models.pipeline.script = grow
    _, first = harness.complete("first")
    await wait_for(started)
    _, second = harness.complete("second", owner="b")
    _, third = harness.complete("third", owner="c")
    go_on.set()
    for caller in (first, second, third):
        assert isinstance(await caller.outcome(), Completion)
    assert [len(batch) for batch in harness.models.pipeline.batches] == [1, 1]


async def test_pictures_of_one_size_do_not_overtake_an_earlier_one_of_another_size(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    pictures = [
        ImagineRequest(prompt="1", owner="b", width=512),
        ImagineRequest(prompt="2", owner="c", width=768),
        ImagineRequest(prompt="3", owner="d", width=512),
        ImagineRequest(prompt="4", owner="e", width=512),
    ]
    callers = [harness.submit(picture)[1] for picture in pictures]
    go_on.set()
    for caller in (first, *callers):
        await caller.outcome()
    batches = harness.models.pipeline.batches[1:]
    assert [[getattr(request, "prompt", "") for request in batch] for batch in batches] == [["1"], ["2"], ["3"], ["4"]]


async def test_a_model_that_draws_requests_together_takes_those_that_are_next(harness: WorkerHarness) -> None:
    started, go_on = harness.block_next_batch()
    _, first = harness.complete("first")
    await wait_for(started)
    sizes = (512, 512, 768, 512)
    pictures = [ImagineRequest(prompt=str(i), owner=f"owner {i}", width=side) for i, side in enumerate(sizes)]
    callers = [harness.submit(picture)[1] for picture in pictures]
    together: list[int] = []

    def draw_together(batch: Batch) -> None:
        batch.join(16)
        together.append(len(batch.jobs))
        answer_all(batch)

    harness.models.pipeline.script = draw_together
    go_on.set()
    for caller in (first, *callers):
        await caller.outcome()
    assert together == [2, 1, 1]


@pytest.mark.parametrize(
    "request_",
    [
        AskRequest(question="Who?", context="x" * 100_000),
        SentimentRequest(texts=("x" * 1000,) * 100),
    ],
)
def test_a_request_with_a_long_text_is_not_short(request_: AskRequest | SentimentRequest) -> None:
    assert not request_.short
    short = AskRequest(question="Who?", context="x" * 2000), SentimentRequest(texts=("fine",))
    assert all(request.short for request in short)


async def test_short_requests_run_between_the_steps_of_a_batch_that_starts_with_a_short_one(
    harness: WorkerHarness,
) -> None:
    order: list[str] = []
    started, go_on = threading.Event(), threading.Event()

    def long(batch: Batch) -> None:
        harness.models.pipeline.script = short
        started.set()
        assert go_on.wait(10)
        batch.yield_point()
        order.append(f"{len(batch.jobs)} long")
        answer_all(batch)

    def short(batch: Batch) -> None:
        order.append("short")
        answer_all(batch)

    def first(batch: Batch) -> None:
        harness.models.pipeline.script = long
        assert go_on.wait(10)
        go_on.clear()
        answer_all(batch)

    harness.models.pipeline.script = first
    callers = [harness.complete("picture")[1], harness.mood()[1]]
    callers.append(harness.submit(SentimentRequest(texts=("x" * 1000,) * 100, owner="b"))[1])
    go_on.set()
    await wait_for(started)
    callers.append(harness.submit(SentimentRequest(texts=("fine",), owner="c"), model="other")[1])
    go_on.set()
    for caller in callers:
        await caller.outcome()
    assert order == ["short", "2 long"]


async def test_a_short_request_that_finds_no_memory_inside_a_long_batch_runs_after_it(harness: WorkerHarness) -> None:
    put_off: list[bool] = []

    def put_off_all(batch: Batch) -> None:
        put_off.extend(batch.put_off(job) for job in list(batch.jobs))
        harness.models.pipeline.script = answer_all

    started, go_on = harness.block_next_batch()
    _, long = harness.complete("long")
    await wait_for(started)
    _, short = harness.mood("b")
    harness.models.pipeline.script = put_off_all
    go_on.set()
    assert [type(await caller.outcome()) for caller in (long, short)] == [Completion, SentimentResult]
    assert put_off == [True]
    assert [type(batch[0]) for batch in harness.models.pipeline.batches] == [
        CompleteRequest,
        SentimentRequest,
        SentimentRequest,
    ]
    assert short.events.index(Queued(1, None)) < short.events.index(Started(), 1)


async def test_a_request_that_runs_alone_is_not_put_off(harness: WorkerHarness) -> None:
    put_off: list[bool] = []

    def try_to_put_off(batch: Batch) -> None:
        put_off.append(batch.put_off(batch.jobs[0]))
        answer_all(batch)

    harness.models.pipeline.script = try_to_put_off
    _, caller = harness.complete("first")
    assert await caller.outcome() == Completion("FIRST", 0)
    assert put_off == [False]
