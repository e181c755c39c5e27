"""Test image generation: the same pixels as diffusers, batches, progress, previews, errors and memory."""

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
from diffusers import AutoPipelineForText2Image, PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from PIL import Image

from inference import infotext
from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement, release_memory
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.generation_settings import in_aspect
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


def stopped_clock() -> float:
    return 0.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> TextToImage:
    return TextToImage(read_pipeline(folder, CPU), clock=stopped_clock)


def generate(pipeline: TextToImage, *requests: ImagineRequest) -> list[ImageResult]:
    outcomes = run(pipeline, *requests)
    assert all(isinstance(outcome, ImageResult) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]


def pngs(*results: ImageResult) -> list[bytes]:
    return [picture.png for result in results for picture in result.pictures]


def open_png(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def test_pixels_equal_those_of_diffusers(pipeline: TextToImage, folder: Path) -> None:
    diffusers_pipe = StableDiffusionPipeline.from_pretrained(folder)
    diffusers_pipe.set_progress_bar_config(disable=True)
    for request in (
        CAT,
        DOG,
        replace(CAT, guidance_scale=1.0),
        replace(CAT, width=24, height=8, guidance_scale=3.0, steps=1),
    ):
        expected: Any = diffusers_pipe(
            request.prompt,
            negative_prompt=request.negative_prompt or None,
            num_inference_steps=request.steps,
            guidance_scale=7.5 if request.guidance_scale is None else request.guidance_scale,
            width=request.width or None,
            height=request.height or None,
            generator=torch.Generator().manual_seed(request.seed or 0),
        )
        assert np.array_equal(np.asarray(open_png(*pngs(*generate(pipeline, request)))), np.asarray(expected.images[0]))


def test_an_image_is_the_same_alone_in_a_series_and_in_a_batch(pipeline: TextToImage) -> None:
    alone = [generate(pipeline, replace(CAT, seed=5 + i)) for i in range(3)]
    series, other = generate(pipeline, replace(CAT, count=3), DOG)
    assert pngs(series) == [png for results in alone for png in pngs(*results)]
    assert len(set(pngs(series))) == 3
    assert [picture.seed for picture in series.pictures] == [5, 6, 7]
    assert pngs(other) == pngs(*generate(pipeline, DOG))


def test_the_result_has_the_settings_that_were_used(pipeline: TextToImage) -> None:
    plain, given = (
        generate(pipeline, ImagineRequest(prompt="a cat"))[0],
        generate(pipeline, replace(CAT, width=8, guidance_scale=2))[0],
    )
    assert (plain.width, plain.height, plain.steps, plain.guidance_scale, plain.note) == (16, 16, 25, 7.5, "")
    assert open_png(plain.pictures[0].png).size == (16, 16)
    assert (given.width, given.height, given.steps, given.guidance_scale) == (8, 16, 3, 2)
    assert open_png(given.pictures[0].png).size == (8, 16)


def test_the_parameters_in_a_file_repeat_its_image_exactly(pipeline: TextToImage) -> None:
    with_variations = replace(CAT, prompt="a cat,\nasleep: (so)", variations=(Variation(3, 0.4), Variation(8, 0.2)))
    for request in (replace(CAT, model="tiny", count=3), ImagineRequest(prompt="a cow"), with_variations, DOG):
        for png in pngs(*generate(pipeline, request)):
            repeated = infotext.read(png)
            assert repeated
            assert pngs(*generate(pipeline, repeated)) == [png]


def test_progress_counts_the_steps_of_all_images_of_the_request(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, count=2), DOG)
    batch.run(pipeline)
    first, second = ([event for event in job.events if isinstance(event, Progress)] for job in batch.jobs)
    assert {event.total for event in first} == {6}
    assert [event.step for event in first] == sorted(event.step for event in first)
    assert first[-1].step == 6
    assert (second[-1].step, second[-1].total) == (3, 3)


def previews(batch: MemoryBatch) -> list[bytes | None]:
    return [event.preview for event in batch.jobs[0].events if isinstance(event, Progress)]


def test_progress_names_the_picture_that_is_drawn_and_its_step(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(ImagineRequest(prompt="a cat", steps=2, count=2, seed=1))
    batch.run(pipeline)
    places = [(e.picture, e.pictures, e.step_of_picture) for e in batch.jobs[0].events if isinstance(e, Progress)]
    assert places == [(1, 2, (1, 2)), (1, 2, (2, 2)), (2, 2, (1, 2)), (2, 2, (2, 2))]


@pytest.mark.parametrize(
    ("size", "aspect", "shaped"),
    [
        ((512, 512), (0, 0), (512, 512)),
        ((512, 512), (1, 1), (512, 512)),
        ((512, 512), (16, 9), (704, 384)),
        ((1024, 1024), (2, 3), (832, 1280)),
        ((768, 512), (1, 1), (640, 640)),
        ((64, 64), (4, 1), (128, 32)),
    ],
)
def test_an_aspect_ratio_keeps_about_the_number_of_pixels(
    size: tuple[int, int], aspect: tuple[int, int], shaped: tuple[int, int]
) -> None:
    assert in_aspect(size, aspect) == shaped


def test_a_picture_is_drawn_in_the_shape_that_was_asked_for(pipeline: TextToImage) -> None:
    (result,) = run(pipeline, ImagineRequest(prompt="a cat", steps=1, aspect=(2, 1), seed=1))
    assert isinstance(result, ImageResult)
    assert (result.width, result.height) == (24, 8)


def test_the_syntax_of_other_programs_that_is_not_known_is_named(pipeline: TextToImage) -> None:
    (result,) = run(pipeline, ImagineRequest(prompt="a __pet__ cat --v 6", steps=1, seed=1))
    assert isinstance(result, ImageResult)
    assert "Read as plain words, since I don't know this from other programs: __pet__, --v 6." in str(result.note)


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


def test_a_missing_safety_checker_is_noted_unless_a_classifier_checks_the_pictures(tmp_path: Path) -> None:
    pipeline = TextToImage.load(SPEC, save_stable_diffusion(tmp_path, checker=False), CPU)
    (result,) = generate(pipeline, CAT)
    assert result.pictures[0].png
    assert "no safety checker" in result.note
    (checked,) = generate(pipeline, replace(CAT, has_classifier=True))
    assert "no safety checker" not in checked.note


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


@pytest.mark.parametrize("save", [save_stable_diffusion, save_stable_diffusion_xl])
@pytest.mark.parametrize("mode", ["text", "image", "inpaint"])
def test_an_autoencoder_that_overflows_in_float16_computes_in_float32(
    save: Callable[[Path], Path], mode: str, tmp_path: Path
) -> None:
    pipe: Any = AutoPipelineForText2Image.from_pretrained(save(tmp_path))
    for part in (pipe.vae.encoder, pipe.vae.decoder):
        part.conv_in.weight.data *= 2e5  # the layers after it bring the numbers back to their usual size
    pipe.save_pretrained(tmp_path)
    image = {} if mode == "text" else {"image": encode_png(Image.linear_gradient("L").resize((16, 16)).convert("RGB"))}
    request = replace(CAT, **image, region="left half" if mode == "inpaint" else "")
    (expected,) = generate(TextToImage.load(SPEC, tmp_path, CPU), request)
    half = TextToImage.load(SPEC, tmp_path, Placement(torch.device("cpu"), torch.float16))
    for _ in range(2):
        (result,) = generate(half, request)
        ours, theirs = (np.asarray(open_png(png), dtype=int) for png in pngs(result, expected))
        assert np.abs(ours - theirs).mean() < 8


def test_an_autoencoder_that_is_made_for_float16_stays_in_it(tmp_path: Path) -> None:
    save_stable_diffusion(tmp_path)
    config = tmp_path / "vae" / "config.json"
    config.write_text(config.read_text().replace('"force_upcast": true', '"force_upcast": false'))
    pipe = read_pipeline(tmp_path, Placement(torch.device("cpu"), torch.float16))
    assert pipe.vae.dtype == torch.float16


def test_the_batch_size_is_1_on_a_cpu_unless_the_operator_sets_it(folder: Path) -> None:
    for spec, groups in ((SPEC, [1] * 4), (replace(SPEC, max_batch_size=3), [3, 1])):
        batch = MemoryBatch.of(replace(CAT, count=4, steps=1))
        batch.run(TextToImage.load(spec, folder, CPU))
        steps = [0, *(event.step for event in batch.jobs[0].events if isinstance(event, Progress))]
        assert [after - before for before, after in pairwise(steps) if after > before] == groups


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


def test_the_memory_of_a_cpu_is_not_searched_for_free_pages_before_each_picture(
    pipeline: TextToImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr("inference.pipelines.devices._malloc_trim", lambda: calls.append)
    generate(pipeline, replace(CAT, count=2))
    assert calls == []
    release_memory(torch.device("cpu"))
    assert calls == [0], "this is how it would be"


def test_stable_diffusion_xl_gives_the_same_pixels_as_diffusers(tmp_path: Path) -> None:
    diffusers_pipe: Any = StableDiffusionXLPipeline.from_pretrained(save_stable_diffusion_xl(tmp_path))
    diffusers_pipe.scheduler = PNDMScheduler.from_config(diffusers_pipe.scheduler.config, skip_prk_steps=True)
    diffusers_pipe.set_progress_bar_config(disable=True)
    pipeline = TextToImage.load(SPEC, tmp_path, CPU)
    for request in (CAT, DOG):
        expected: Any = diffusers_pipe(
            request.prompt,
            negative_prompt=request.negative_prompt or None,
            num_inference_steps=3,
            guidance_scale=7.5,
            generator=torch.Generator().manual_seed(request.seed or 0),
        )
        assert np.array_equal(np.asarray(open_png(*pngs(*generate(pipeline, request)))), np.asarray(expected.images[0]))


def test_a_negative_prompt_without_guidance_is_noted_as_without_effect(pipeline: TextToImage) -> None:
    assert "negative prompt has no effect" in generate(pipeline, replace(DOG, guidance_scale=1))[0].note


def test_options_for_token_sampling_are_noted_as_without_effect(pipeline: TextToImage) -> None:
    for request in (replace(CAT, temperature=0.5), replace(CAT, top_k=50)):
        assert "temperature and top-k have no effect" in generate(pipeline, request)[0].note


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


def test_numeric_overflow_is_an_error_and_gives_no_black_image(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    pipe.vae.decoder.conv_out.bias.data.fill_(float("nan"))
    (latents,) = run(TextToImage(pipe, clock=stopped_clock), CAT)
    assert isinstance(latents, GenerationFailed)
    assert "overflowed" in latents.user_message
    pipe.unet.conv_out.bias.data.fill_(float("inf"))
    (pixels,) = run(TextToImage(pipe, clock=stopped_clock), CAT)
    assert isinstance(pixels, GenerationFailed)
    assert "overflowed" in pixels.user_message


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


def limit_memory(pipe: Any, fits: Callable[[torch.Tensor], bool]) -> None:
    """Let the network run out of memory unless its latents [pictures, 4, h, w] fit."""

    def allocate(_: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        if not fits(arguments[0]):
            raise torch.OutOfMemoryError("no room")

    pipe.unet.register_forward_pre_hook(allocate)


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


def test_bfloat16_halves_the_memory_and_gives_nearly_the_same_image(pipeline: TextToImage, folder: Path) -> None:
    bfloat16 = TextToImage.load(SPEC, folder, Placement(torch.device("cpu"), torch.bfloat16))
    assert bfloat16.nbytes < 0.6 * pipeline.nbytes
    ours, full = (np.asarray(open_png(*pngs(*generate(p, CAT))), dtype=float) for p in (bfloat16, pipeline))
    assert np.abs(ours - full).mean() < 6
    assert full.std() > 12
