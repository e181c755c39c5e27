"""Test what is told of images while they are drawn, and that a cancelled job ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImagineRequest
from inference.types import Progress
from tests.inference.pipelines.harness import MemoryBatch
from tests.inference.pipelines.text_to_image.tiny_pipeline import CAT, CPU, DOG, generate, open_png, pngs


def previews(batch: MemoryBatch) -> list[bytes | None]:
    return [event.preview for event in batch.jobs[0].events if isinstance(event, Progress)]


def test_progress_counts_the_steps_of_all_images_of_the_request(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=2), DOG)
    batch.run(pipeline)
    first, second = ([event for event in job.events if isinstance(event, Progress)] for job in batch.jobs)
    assert {event.total for event in first} == {6}
    assert [event.step for event in first] == sorted(event.step for event in first)
    assert first[-1].step == 6
    assert (second[-1].step, second[-1].total) == (3, 3)


def test_progress_names_the_picture_that_is_drawn_and_its_step(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(ImagineRequest(prompt="a cat", steps=2, count=2, seed=1))
    batch.run(pipeline)
    places = [(e.picture, e.pictures, e.step_of_picture) for e in batch.jobs[0].events if isinstance(e, Progress)]
    assert places == [(1, 2, (1, 2)), (1, 2, (2, 2)), (2, 2, (1, 2)), (2, 2, (2, 2))]


def test_there_is_a_preview_every_three_seconds(folder: Path) -> None:
    batch = MemoryBatch.of(replace(CAT, steps=7))
    # Each step takes a second.
    batch.run(TextToImage(read_pipeline(folder, CPU), clock=lambda: float(batch.yield_points)))
    shown = previews(batch)
    assert [preview is not None for preview in shown] == [False, True, False, False, True, False, False, True]
    assert open_png(shown[1] or b"").size == (32, 32)


def test_slow_previews_are_less_frequent(folder: Path) -> None:
    clock_reads = iter(range(1000))  # each read of the clock takes a second, so a preview takes one too
    batch = MemoryBatch.of(replace(CAT, steps=30))
    batch.run(TextToImage(read_pipeline(folder, CPU), clock=lambda: float(next(clock_reads))))
    first, second = (step for step, preview in enumerate(previews(batch)) if preview)
    assert second - first == 20


def test_cancelling_all_jobs_stops_at_the_next_step(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=4))
    batch.on_yield = lambda: batch.yield_points == 4 and batch.jobs[0].cancel()
    batch.run(pipeline)
    assert batch.yield_points == 4
    assert len(batch.jobs[0].events) == 2


def test_no_images_are_generated_for_a_cancelled_job(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=4), DOG)
    batch.on_yield = lambda: batch.yield_points == 5 and batch.jobs[0].cancel()
    assert pngs(*batch.run(pipeline)) == pngs(*generate(pipeline, DOG))  # type: ignore[arg-type]
    assert len(batch.jobs[0].events) == 2
    assert batch.jobs[0].outcome is None
