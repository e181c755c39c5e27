"""Test what is done when memory runs out, and that memory is freed."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.pipelines.devices import release_memory
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult
from inference.types.errors import OutOfMemory
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.text_to_image.tiny_pipeline import CAT, CPU, DOG, generate, open_png, pngs, stopped_clock


def limit_memory(pipe: Any, fits: Callable[[torch.Tensor], bool]) -> None:
    """Let the network run out of memory unless its latents [pictures, 4, h, w] fit."""

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        if not fits(arguments[0]):
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)


def test_finished_images_are_kept_when_memory_runs_out(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    checked: list[int] = []

    def check(*_: Any) -> None:
        checked.append(len(checked))
        if checked[-1] == 1:
            raise MemoryError

    pipe.safety_checker.register_forward_pre_hook(check)
    requests = (replace(CAT, seed=1), replace(CAT, seed=2))
    assert len(generate(TextToImage(pipe, max_batch_size=2, clock=stopped_clock), *requests)) == 2
    assert len(checked) == 3  # the first image is not generated again


def test_batches_are_halved_when_memory_runs_out(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    sizes: list[int] = []

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        sizes.append(len(arguments[0]) // 2)  # guidance doubles the batch
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)
    (result,) = generate(TextToImage(pipe, max_batch_size=4, clock=stopped_clock), replace(CAT, count=4))
    assert len(result.pictures) == 4
    assert sizes == [4, *[2] * 8]


def test_memory_saving_is_enabled_with_a_note_when_memory_runs_out(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    limit_memory(pipe, lambda _: pipe.vae.use_tiling)
    batch = MemoryBatch.of(CAT, DOG)
    first, second = batch.run(TextToImage(pipe, clock=stopped_clock))
    assert isinstance(first, ImageResult)
    assert isinstance(second, ImageResult)
    assert "drawn in slices" in first.note
    assert (first.width, batch.freed) == (16, 2)
    assert not pipe.vae.use_tiling, "the next batch does not use tiling"


def test_memory_of_a_failed_attempt_is_freed_before_the_next(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # log records of the test would keep the traceback and its tensors
    pipe = read_pipeline(folder, CPU)
    tries: list[weakref.ref[torch.Tensor]] = []

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        assert all(latents() is None for latents in tries)
        tries.append(weakref.ref(arguments[0]))
        raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)
    (outcome,) = run(TextToImage(pipe, clock=stopped_clock), CAT)
    assert isinstance(outcome, OutOfMemory)
    assert len(tries) > 1


def test_a_smaller_image_is_generated_with_a_note_when_memory_runs_out(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    limit_memory(pipe, lambda latents: latents.shape[-1] <= 48)
    (result,) = generate(TextToImage(pipe, clock=stopped_clock), replace(CAT, width=128, height=96))
    assert (result.width, result.height) == (96, 72)
    assert open_png(*pngs(result)).size == (96, 72)
    assert "Memory was too short for 128 × 96, so this was drawn at 96 × 72." in result.note


def test_all_images_of_a_job_have_one_size(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    calls: list[int] = []

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        calls.append(arguments[0].shape[-1])
        if len(calls) in (2, 3):
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)
    series = replace(CAT, width=128, height=128, steps=1, count=3)
    first, second = generate(TextToImage(pipe, clock=stopped_clock), series, replace(series, seed=9))
    assert [open_png(png).size for png in pngs(first)] == [(96, 96)] * 3
    assert [open_png(png).size for png in pngs(second)] == [(128, 128)] * 3
    assert (first.width, second.width) == (96, 128)
    assert "drawn at 96 × 96" in first.note
    assert not second.note


def test_all_jobs_fail_if_saving_memory_does_not_help(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    limit_memory(pipe, lambda _: False)
    outcomes = run(TextToImage(pipe, clock=stopped_clock), CAT, DOG)
    assert all(isinstance(outcome, OutOfMemory) for outcome in outcomes)


def test_the_memory_of_a_cpu_is_not_searched_for_free_pages_before_each_picture(
    pipeline: TextToImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr("inference.pipelines.devices._malloc_trim", lambda: calls.append)
    generate(pipeline, replace(CAT, count=2))
    assert calls == []
    release_memory(torch.device("cpu"))
    assert calls == [0], "this is how it would be"
