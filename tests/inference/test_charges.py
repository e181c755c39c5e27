"""What is not charged to the person who asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from inference.config import Limits
from inference.pipelines.base import Batch
from inference.types import Drawing, ImagineRequest, Picture
from tests.inference.scripted import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench(Limits(queue=8, per_person=8))
    yield bench
    await asyncio.to_thread(bench.worker.close)


async def _is_free(bench: Bench, *pictures: Picture) -> bool:
    def draw(batch: Batch) -> None:
        for job in batch.jobs:
            job.finish(Drawing(pictures, 512, 512, 25, 7.5))

    bench.models.pipeline.script = draw
    job, caller = bench.submit(ImagineRequest(prompt="a fox"))
    await caller.outcome()
    return job.free


async def test_a_drawing_that_was_held_back_entirely_is_free(bench: Bench) -> None:
    assert await _is_free(bench, Picture(b"", 1, flagged=True), Picture(b"", 2, flagged=True))


async def test_a_drawing_of_which_something_is_shown_is_not(bench: Bench) -> None:
    assert not await _is_free(bench, Picture(b"", 1, flagged=True), Picture(b"png", 2))
    assert not await _is_free(bench, Picture(b"png", 1, flagged=True))
