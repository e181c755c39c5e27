"""One device shared: short jobs between the steps of long ones, and newcomers to a batch."""

from __future__ import annotations

import threading

import pytest

from inference.pipelines.pipeline import Batch
from inference.tasks import AskRequest, Completion, SentimentRequest
from inference.types.errors import (
    GenerationFailed,
)
from tests.inference.backends.scripted import Bench, answer_all, begun


async def test_a_short_request_runs_between_two_steps_of_a_long_one(bench: Bench) -> None:
    order: list[str] = []
    first_step, go_on = threading.Event(), threading.Event()

    def draw(batch: Batch) -> None:
        bench.models.pipeline.script = short
        order.append("step 1")
        first_step.set()
        assert go_on.wait(10)
        batch.yield_point()
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
            batch.yield_point()
            order.append(f"step {step}")
        answer_all(batch)

    def short(batch: Batch) -> None:
        order.append("short")
        answer_all(batch)

    bench.models.pipeline.script = draw
    _, long = bench.complete("picture")
    await begun(first_step)
    quick = [bench.submit(SentimentRequest(texts=("fine",), owner=str(i)), model=f"m{i}")[1] for i in range(2)]
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
        batch.yield_point()
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


@pytest.mark.parametrize(
    "book",
    [
        AskRequest(question="Who?", context="x" * 100_000),
        SentimentRequest(texts=("x" * 1000,) * 100),
    ],
)
def test_a_book_is_not_read_between_two_steps(book: AskRequest | SentimentRequest) -> None:
    assert not book.short
    brief = AskRequest(question="Who?", context="x" * 2000), SentimentRequest(texts=("fine",))
    assert all(request.short for request in brief)


async def test_short_requests_run_beside_a_long_one_also_where_a_short_one_came_first(bench: Bench) -> None:
    order: list[str] = []
    read, go_on = threading.Event(), threading.Event()

    def together(batch: Batch) -> None:
        bench.models.pipeline.script = alone
        read.set()
        assert go_on.wait(10)
        batch.yield_point()
        order.append(f"{len(batch.jobs)} together")
        answer_all(batch)

    def alone(batch: Batch) -> None:
        order.append("between")
        answer_all(batch)

    def first(batch: Batch) -> None:
        bench.models.pipeline.script = together
        assert go_on.wait(10)
        go_on.clear()
        answer_all(batch)

    bench.models.pipeline.script = first
    callers = [bench.complete("picture")[1], bench.mood()[1]]
    callers.append(bench.submit(SentimentRequest(texts=("x" * 1000,) * 100, owner="b"))[1])
    go_on.set()
    await begun(read)
    callers.append(bench.submit(SentimentRequest(texts=("fine",), owner="c"), model="other")[1])
    go_on.set()
    for caller in callers:
        await caller.outcome()
    assert order == ["between", "2 together"]
