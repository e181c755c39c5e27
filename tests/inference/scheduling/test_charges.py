"""Test which share of a request is charged to its owner, and which requests share a time estimate."""

from __future__ import annotations

from inference.pipelines.pipeline import Batch
from inference.tasks import GeneratedImage, ImageResult, ImagineRequest
from tests.inference.backends.scripted import WorkerHarness


async def _charged(harness: WorkerHarness, *pictures: GeneratedImage) -> float:
    def draw(batch: Batch) -> None:
        for job in batch.jobs:
            job.finish(ImageResult(pictures, 512, 512, 25, 7.5))

    harness.models.pipeline.script = draw
    job, caller = harness.submit(ImagineRequest(prompt="a fox"))
    await caller.outcome()
    return job.charged


async def test_a_result_with_only_flagged_pictures_is_free(harness: WorkerHarness) -> None:
    assert await _charged(harness, GeneratedImage(b"", 1, flagged=True), GeneratedImage(b"", 2, flagged=True)) == 0


async def test_only_pictures_that_are_shown_are_charged(harness: WorkerHarness) -> None:
    flagged = [GeneratedImage(b"", seed, flagged=True) for seed in range(3)]
    assert await _charged(harness, *flagged, GeneratedImage(b"png", 3)) == 0.25
    assert await _charged(harness, GeneratedImage(b"png", 1, flagged=True)) == 1


async def test_image_requests_with_different_settings_share_one_time_estimate(harness: WorkerHarness) -> None:
    jobs = [
        harness.submit(ImagineRequest(prompt="a fox", guidance_scale=guidance_scale))[0]
        for guidance_scale in (7.1, 7.5)
    ]
    assert jobs[0].kind == jobs[1].kind
    assert jobs[0].key != jobs[1].key
