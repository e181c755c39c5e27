"""Pictures: diffusers' own pixels, the same in any company, with progress, previews and a safety checker."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from PIL import Image

from inference import infotext
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult, ImagineRequest, Variation
from inference.types import ModelSpec, Progress
from inference.types.errors import GenerationFailed, OutOfMemory
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

SPEC = ModelSpec(name="tiny", task="imagine", repo="tiny")
CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", sampler="PNDM", steps=3, seed=5)
DOG = ImagineRequest(prompt="a dog", negative_prompt="a cat", sampler="PNDM", steps=3, seed=7)


def never() -> float:
    return 0.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def painter(folder: Path) -> TextToImage:
    return TextToImage(read_pipeline(folder, CPU), clock=never)


def drawn(pipeline: TextToImage, *requests: ImagineRequest) -> list[ImageResult]:
    outcomes = run(pipeline, *requests)
    assert all(isinstance(outcome, ImageResult) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]


def pngs(*drawings: ImageResult) -> list[bytes]:
    return [picture.png for drawing in drawings for picture in drawing.pictures]


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def test_pixels_equal_those_of_diffusers_own_pipeline(painter: TextToImage, folder: Path) -> None:
    stock = StableDiffusionPipeline.from_pretrained(folder)
    stock.set_progress_bar_config(disable=True)
    for request in (
        CAT,
        DOG,
        replace(CAT, guidance_scale=1.0),
        replace(CAT, width=24, height=8, guidance_scale=3.0, steps=1),
    ):
        expected: Any = stock(
            request.prompt,
            negative_prompt=request.negative_prompt or None,
            num_inference_steps=request.steps,
            guidance_scale=7.5 if request.guidance_scale is None else request.guidance_scale,
            width=request.width or None,
            height=request.height or None,
            generator=torch.Generator().manual_seed(request.seed or 0),
        )
        assert np.array_equal(np.asarray(opened(*pngs(*drawn(painter, request)))), np.asarray(expected.images[0]))


def test_a_picture_is_the_same_alone_in_a_series_and_in_other_peoples_company(painter: TextToImage) -> None:
    alone = [drawn(painter, replace(CAT, seed=5 + i)) for i in range(3)]
    series, company = drawn(painter, replace(CAT, count=3), DOG)
    assert pngs(series) == [png for drawings in alone for png in pngs(*drawings)]
    assert len(set(pngs(series))) == 3
    assert [picture.seed for picture in series.pictures] == [5, 6, 7]
    assert pngs(company) == pngs(*drawn(painter, DOG))


def test_the_drawing_tells_the_settings_that_were_used(painter: TextToImage) -> None:
    own, given = (
        drawn(painter, ImagineRequest(prompt="a cat"))[0],
        drawn(painter, replace(CAT, width=8, guidance_scale=2))[0],
    )
    assert (own.width, own.height, own.steps, own.guidance_scale, own.note) == (16, 16, 25, 7.5, "")
    assert opened(own.pictures[0].png).size == (16, 16)
    assert (given.width, given.height, given.steps, given.guidance_scale) == (8, 16, 3, 2)
    assert opened(given.pictures[0].png).size == (8, 16)


def test_a_pictures_own_file_repeats_it_to_the_byte(painter: TextToImage) -> None:
    turned = replace(CAT, prompt="a cat,\nasleep: (so)", variations=(Variation(3, 0.4), Variation(8, 0.2)))
    for request in (replace(CAT, model="tiny", count=3), ImagineRequest(prompt="a cow"), turned, DOG):
        for png in pngs(*drawn(painter, request)):
            repeated = infotext.read(png)
            assert repeated
            assert pngs(*drawn(painter, repeated)) == [png]


def test_progress_counts_the_steps_of_all_of_ones_own_pictures(painter: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=2), DOG)
    batch.run(painter)
    first, second = ([event for event in job.events if isinstance(event, Progress)] for job in batch.jobs)
    assert {event.total for event in first} == {6}
    assert [event.step for event in first] == sorted(event.step for event in first)
    assert first[-1].step == 6
    assert (second[-1].step, second[-1].total) == (3, 3)


def previews(batch: MemoryBatch) -> list[bytes | None]:
    return [event.preview for event in batch.jobs[0].events if isinstance(event, Progress)]


def test_a_preview_comes_every_three_seconds(folder: Path) -> None:
    batch = MemoryBatch.of(replace(CAT, steps=7))
    batch.run(TextToImage(read_pipeline(folder, CPU), clock=lambda: float(batch.checkpoints)))  # a second a step
    shown = previews(batch)
    assert [preview is not None for preview in shown] == [False, True, False, False, True, False, False, True]
    assert opened(shown[1] or b"").size == (32, 32)


def test_slow_previews_come_more_rarely(folder: Path) -> None:
    looks = iter(range(1000))  # each look at the clock takes a second, so a preview takes one too
    batch = MemoryBatch.of(replace(CAT, steps=30))
    batch.run(TextToImage(read_pipeline(folder, CPU), clock=lambda: float(next(looks))))
    first, second = (step for step, preview in enumerate(previews(batch)) if preview)
    assert second - first == 20


def test_a_model_without_a_safety_checker_draws_and_says_so(tmp_path: Path) -> None:
    pipeline = TextToImage.load(SPEC, save_stable_diffusion(tmp_path, checker=False), CPU)
    (drawing,) = drawn(pipeline, CAT)
    assert drawing.pictures[0].png
    assert "no safety checker" in drawing.note


def test_pictures_drawn_together_are_those_drawn_alone(folder: Path, painter: TextToImage) -> None:
    together = TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=never)
    batch = MemoryBatch.of(replace(CAT, count=3), replace(CAT, prompt="a cow"), replace(CAT, seed=9), DOG)
    pictures = pngs(*batch.run(together))  # type: ignore[arg-type]
    alone = pngs(*(drawn(painter, job.request)[0] for job in batch.jobs if isinstance(job.request, ImagineRequest)))
    for ours, expected in zip(pictures, alone, strict=True):
        assert np.abs(np.asarray(opened(ours), dtype=int) - np.asarray(opened(expected), dtype=int)).max() <= 2
    first = [event.step for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert first == [0, 3, 6, 9]  # three pictures at a time


def test_pictures_are_drawn_one_by_one_unless_the_operator_says_otherwise(folder: Path) -> None:
    for spec, groups in ((SPEC, [1] * 4), (replace(SPEC, max_batch_size=3), [3, 1])):
        batch = MemoryBatch.of(replace(CAT, count=4, steps=1))
        batch.run(TextToImage.load(spec, folder, CPU))
        steps = [0, *(event.step for event in batch.jobs[0].events if isinstance(event, Progress))]
        assert [after - before for before, after in pairwise(steps) if after > before] == groups


def test_who_has_all_pictures_gets_them_though_memory_runs_out_for_the_others(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    checked: list[int] = []

    def check(*_: Any) -> None:
        checked.append(len(checked))
        if checked[-1] == 1:
            raise MemoryError

    pipe.safety_checker.register_forward_pre_hook(check)
    requests = (replace(CAT, seed=1), replace(CAT, seed=2))
    assert len(drawn(TextToImage(pipe, max_batch_size=2, clock=never), *requests)) == 2
    assert len(checked) == 3  # the first picture is not drawn again


def test_who_has_all_pictures_keeps_them_though_the_others_fail(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    checked: list[int] = []

    def check(*_: Any) -> None:
        checked.append(len(checked))
        if checked[-1] == 1:
            raise ValueError("broken")

    pipe.safety_checker.register_forward_pre_hook(check)
    drawing, failed = run(TextToImage(pipe, max_batch_size=2, clock=never), replace(CAT, seed=1), replace(CAT, seed=2))
    assert isinstance(drawing, ImageResult)
    assert isinstance(failed, GenerationFailed)


def test_pictures_that_do_not_fit_together_are_drawn_in_smaller_groups(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    sizes: list[int] = []

    def room_for_two(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        sizes.append(len(arguments[0]) // 2)  # guidance doubles them
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(room_for_two)
    (drawing,) = drawn(TextToImage(pipe, max_batch_size=4, clock=never), replace(CAT, count=4))
    assert len(drawing.pictures) == 4
    assert sizes == [4, *[2] * 8]


def test_stable_diffusion_xl_draws_as_diffusers_does(tmp_path: Path) -> None:
    stock: Any = StableDiffusionXLPipeline.from_pretrained(save_stable_diffusion_xl(tmp_path))
    stock.scheduler = PNDMScheduler.from_config(stock.scheduler.config, skip_prk_steps=True)
    stock.set_progress_bar_config(disable=True)
    pipeline = TextToImage.load(SPEC, tmp_path, CPU)
    for request in (CAT, DOG):
        expected: Any = stock(
            request.prompt,
            negative_prompt=request.negative_prompt or None,
            num_inference_steps=3,
            guidance_scale=7.5,
            generator=torch.Generator().manual_seed(request.seed or 0),
        )
        assert np.array_equal(np.asarray(opened(*pngs(*drawn(pipeline, request)))), np.asarray(expected.images[0]))


def test_a_negative_prompt_without_guidance_is_said_to_have_no_effect(painter: TextToImage) -> None:
    assert "negative prompt has no effect" in drawn(painter, replace(DOG, guidance_scale=1))[0].note


def test_options_of_token_painters_are_said_to_have_no_effect(painter: TextToImage) -> None:
    for request in (replace(CAT, temperature=0.5), replace(CAT, top_k=50)):
        assert "temperature and top-k have no effect" in drawn(painter, request)[0].note


def test_everybody_leaving_stops_the_picture_at_the_next_step(painter: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=4))
    batch.at_checkpoint = lambda: batch.checkpoints == 4 and batch.jobs[0].cancel()
    batch.run(painter)
    assert batch.checkpoints == 4
    assert len(batch.jobs[0].events) == 2


def test_one_who_left_is_not_drawn_for_and_the_others_are(painter: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=4), DOG)
    batch.at_checkpoint = lambda: batch.checkpoints == 5 and batch.jobs[0].cancel()
    assert pngs(*batch.run(painter)) == pngs(*drawn(painter, DOG))  # type: ignore[arg-type]
    assert len(batch.jobs[0].events) == 2
    assert batch.jobs[0].outcome is None


def test_numbers_that_overflow_are_a_failure_and_no_black_picture(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    pipe.vae.decoder.conv_out.bias.data.fill_(float("nan"))
    (latents,) = run(TextToImage(pipe, clock=never), CAT)
    assert isinstance(latents, GenerationFailed)
    assert "overflowed" in latents.user_message
    pipe.unet.conv_out.bias.data.fill_(float("inf"))
    (pixels,) = run(TextToImage(pipe, clock=never), CAT)
    assert isinstance(pixels, GenerationFailed)
    assert "overflowed" in pixels.user_message


def test_a_failure_is_told_to_its_own_jobs_and_the_rest_goes_on(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    pipeline = TextToImage(pipe, clock=never)

    def fail_once(*_: Any) -> None:
        handle.remove()
        raise ValueError("broken")

    handle = pipe.unet.register_forward_pre_hook(fail_once)
    failed, drawing = run(pipeline, CAT, DOG)
    assert isinstance(failed, GenerationFailed)
    assert isinstance(drawing, ImageResult)


def short_of_memory(pipe: Any, fits: Callable[[torch.Tensor], bool]) -> None:
    """Let the network run out of memory unless its latents [pictures, 4, h, w] fit."""

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        if not fits(arguments[0]):
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)


def test_a_single_picture_without_memory_is_drawn_in_slices_and_that_is_said(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    short_of_memory(pipe, lambda _: pipe.vae.use_tiling)
    batch = MemoryBatch.of(CAT, DOG)
    first, second = batch.run(TextToImage(pipe, clock=never))
    assert isinstance(first, ImageResult)
    assert isinstance(second, ImageResult)
    assert "drawn in slices" in first.note
    assert (first.width, batch.freed) == (16, 2)
    assert not pipe.vae.use_tiling, "the next batch starts afresh"


def test_a_try_that_failed_for_memory_is_let_go_before_the_next(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # records kept for the test would keep the traceback, and so the tensors
    pipe = read_pipeline(folder, CPU)
    tries: list[weakref.ref[torch.Tensor]] = []

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        assert all(latents() is None for latents in tries)
        tries.append(weakref.ref(arguments[0]))
        raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)
    (outcome,) = run(TextToImage(pipe, clock=never), CAT)
    assert isinstance(outcome, OutOfMemory)
    assert len(tries) > 1


def test_after_that_it_is_drawn_smaller_and_that_is_said(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    short_of_memory(pipe, lambda latents: latents.shape[-1] <= 48)
    (drawing,) = drawn(TextToImage(pipe, clock=never), replace(CAT, width=128, height=96))
    assert (drawing.width, drawing.height) == (96, 72)
    assert opened(*pngs(drawing)).size == (96, 72)
    assert "Memory was too short for 128 × 96, so this was drawn at 96 × 72." in drawing.note


def test_pictures_of_one_order_have_one_size_and_other_orders_their_own(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    calls: list[int] = []

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        calls.append(arguments[0].shape[-1])
        if len(calls) in (2, 3):
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)
    series = replace(CAT, width=128, height=128, steps=1, count=3)
    first, second = drawn(TextToImage(pipe, clock=never), series, replace(series, seed=9))
    assert [opened(png).size for png in pngs(first)] == [(96, 96)] * 3
    assert [opened(png).size for png in pngs(second)] == [(128, 128)] * 3
    assert (first.width, second.width) == (96, 128)
    assert "drawn at 96 × 96" in first.note
    assert not second.note


def test_where_nothing_helps_each_is_told(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    short_of_memory(pipe, lambda _: False)
    outcomes = run(TextToImage(pipe, clock=never), CAT, DOG)
    assert all(isinstance(outcome, OutOfMemory) for outcome in outcomes)


def test_bfloat16_halves_the_memory_and_draws_nearly_the_same_picture(painter: TextToImage, folder: Path) -> None:
    half = TextToImage.load(SPEC, folder, Placement(torch.device("cpu"), torch.bfloat16))
    assert half.nbytes < 0.6 * painter.nbytes
    ours, full = (np.asarray(opened(*pngs(*drawn(p, CAT))), dtype=float) for p in (half, painter))
    assert np.abs(ours - full).mean() < 6
    assert full.std() > 12
