"""Test images that are drawn together: the same as alone, and independent of each other's errors."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult, ImagineRequest
from inference.types import Progress
from inference.types.errors import GenerationFailed
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.text_to_image.tiny_pipeline import (
    CAT,
    CPU,
    DOG,
    SPEC,
    generate,
    open_png,
    pngs,
    stopped_clock,
)


def test_an_image_is_the_same_alone_in_a_series_and_in_a_batch(pipeline: TextToImage) -> None:
    alone = [generate(pipeline, replace(CAT, seed=5 + i)) for i in range(3)]
    series, other = generate(pipeline, replace(CAT, count=3), DOG)
    assert pngs(series) == [png for results in alone for png in pngs(*results)]
    assert len(set(pngs(series))) == 3
    assert [picture.seed for picture in series.pictures] == [5, 6, 7]
    assert pngs(other) == pngs(*generate(pipeline, DOG))


def test_images_in_a_batch_are_nearly_the_same_as_alone(folder: Path, pipeline: TextToImage) -> None:
    batching_pipeline = TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=stopped_clock)
    batch = MemoryBatch.of(replace(CAT, count=3), replace(CAT, prompt="a cow"), replace(CAT, seed=9), DOG)
    pictures = pngs(*batch.run(batching_pipeline))  # type: ignore[arg-type]
    alone = pngs(*(generate(pipeline, job.request)[0] for job in batch.jobs if isinstance(job.request, ImagineRequest)))
    for ours, expected in zip(pictures, alone, strict=True):
        assert np.abs(np.asarray(open_png(ours), dtype=int) - np.asarray(open_png(expected), dtype=int)).max() <= 2
    first = [event.step for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert first == [0, 3, 6, 9]  # three images at a time
    events = [event for event in batch.jobs[0].events if isinstance(event, Progress) and event.step]
    assert [event.step_of_picture for event in events] == [(1, 3), (2, 3), (3, 3)], "as many steps as were asked for"


def test_images_drawn_together_are_the_same_whatever_others_ask_for(folder: Path) -> None:
    pipeline = TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=stopped_clock)
    requests = (replace(CAT, count=3), replace(CAT, seed=9), replace(CAT, count=2), replace(DOG, count=5))
    alone = [pngs(*generate(pipeline, request)) for request in requests]
    assert [pngs(result) for result in generate(pipeline, *requests)] == alone


def test_images_that_were_drawn_together_are_decoded_one_by_one(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    decoded: list[int] = []
    pipe.vae.decoder.register_forward_pre_hook(lambda _, arguments: decoded.append(len(arguments[0])))
    generate(TextToImage(pipe, max_batch_size=4, clock=stopped_clock), replace(CAT, count=3))
    assert decoded == [1, 1, 1]


def test_the_batch_size_is_1_on_a_cpu_unless_the_operator_sets_it(folder: Path) -> None:
    for spec, groups in ((SPEC, [1] * 4), (replace(SPEC, max_batch_size=3), [3, 1])):
        batch = MemoryBatch.of(replace(CAT, count=4, steps=1))
        batch.run(TextToImage.load(spec, folder, CPU))
        steps = [0, *(event.step for event in batch.jobs[0].events if isinstance(event, Progress))]
        assert [after - before for before, after in pairwise(steps) if after > before] == groups


def test_finished_images_are_kept_when_other_jobs_fail(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    checked: list[int] = []

    def check(*_: Any) -> None:
        checked.append(len(checked))
        if checked[-1] == 1:
            raise ValueError("broken")

    pipe.safety_checker.register_forward_pre_hook(check)
    result, failed = run(
        TextToImage(pipe, max_batch_size=2, clock=stopped_clock), replace(CAT, seed=1), replace(CAT, seed=2)
    )
    assert isinstance(result, ImageResult)
    assert isinstance(failed, GenerationFailed)


def test_an_error_only_fails_the_jobs_of_its_group(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    pipeline = TextToImage(pipe, clock=stopped_clock)

    def fail_once(*_: Any) -> None:
        handle.remove()
        raise ValueError("broken")

    handle = pipe.unet.register_forward_pre_hook(fail_once)
    failed, result = run(pipeline, CAT, DOG)
    assert isinstance(failed, GenerationFailed)
    assert isinstance(result, ImageResult)
