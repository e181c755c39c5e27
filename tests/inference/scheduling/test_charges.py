"""What is charged to the person who asked for it, and how its time is measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from inference.limits import Limits
from inference.pipelines.pipeline import Batch
from inference.tasks import GeneratedImage, ImageResult, ImagineRequest
from tests.inference.backends.scripted import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench(Limits(queue=8, per_person=8))
    yield bench
    await asyncio.to_thread(bench.worker.close)


async def _charged(bench: Bench, *pictures: GeneratedImage) -> float:
    def draw(batch: Batch) -> None:
        for job in batch.jobs:
            job.finish(ImageResult(pictures, 512, 512, 25, 7.5))

    bench.models.pipeline.script = draw
    job, caller = bench.submit(ImagineRequest(prompt="a fox"))
    await caller.outcome()
    return job.charged


async def test_a_drawing_that_was_held_back_entirely_is_free(bench: Bench) -> None:
    assert await _charged(bench, GeneratedImage(b"", 1, flagged=True), GeneratedImage(b"", 2, flagged=True)) == 0


async def test_of_a_drawing_the_pictures_that_are_shown_are_charged(bench: Bench) -> None:
    held_back = [GeneratedImage(b"", seed, flagged=True) for seed in range(3)]
    assert await _charged(bench, *held_back, GeneratedImage(b"png", 3)) == 0.25
    assert await _charged(bench, GeneratedImage(b"png", 1, flagged=True)) == 1


async def test_drawings_of_one_model_have_one_measure_of_time_whatever_they_ask_for(bench: Bench) -> None:
    jobs = [
        bench.submit(ImagineRequest(prompt="a fox", guidance_scale=guidance_scale))[0] for guidance_scale in (7.1, 7.5)
    ]
    assert jobs[0].kind == jobs[1].kind
    assert jobs[0].key != jobs[1].key
