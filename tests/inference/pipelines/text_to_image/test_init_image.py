"""Test image-to-image and inpainting."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.init_image import fit, inferred_size
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult, ImagineRequest
from inference.tasks.infotext import request_for_image
from inference.types import Progress
from inference.types.errors import InvalidRequest, Phrase, RequestCancelled
from tests.inference.images.test_origin import source_type
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

CPU = Placement(torch.device("cpu"), torch.float32)


def noisy(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a picture of random pixels."""
    shape = (height, width, len(mode)) if len(mode) > 1 else (height, width)
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), mode)


def half_mask(width: int, height: int) -> Image.Image:
    """Return a mask with a white left half, which is inpainted."""
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return mask


INIT_IMAGE = noisy(32, 32)
IMAGE_TO_IMAGE = ImagineRequest(prompt="a cat", image=encode_png(INIT_IMAGE), sampler="PNDM", steps=5, seed=5)
INPAINTING = replace(IMAGE_TO_IMAGE, mask=encode_png(half_mask(32, 32)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> TextToImage:
    return TextToImage(read_pipeline(folder, CPU), clock=lambda: 0.0)


def generate(pipeline: TextToImage, request: ImagineRequest) -> tuple[ImageResult, Any]:
    """Return the result, and the pixels [height, width, 3] of its first picture."""
    (result,) = run(pipeline, request)
    assert isinstance(result, ImageResult), result
    return result, np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def init_latents(pipe: Any) -> torch.Tensor:
    """Encode the init image as diffusers does, with the seed, so that both pipelines start from the same noise."""
    pixels = pipe.image_processor.preprocess(INIT_IMAGE)
    generator = torch.Generator().manual_seed(5)
    torch.randn(1, 4, 16, 16, generator=generator)  # the noise is drawn first
    with torch.inference_mode():
        encoded = pipe.vae.encode(pixels).latent_dist.sample(generator)
    return pipe.vae.config.scaling_factor * encoded


def test_image_to_image_gives_the_same_pixels_as_diffusers(pipeline: TextToImage, folder: Path) -> None:
    diffusers_pipe = StableDiffusionImg2ImgPipeline.from_pretrained(folder)
    diffusers_pipe.set_progress_bar_config(disable=True)
    for strength in (0.5, 0.9):
        expected: Any = diffusers_pipe(
            "a cat",
            image=init_latents(diffusers_pipe),
            strength=strength,
            num_inference_steps=5,
            generator=torch.Generator().manual_seed(5),
        )
        result, pixels = generate(pipeline, replace(IMAGE_TO_IMAGE, strength=strength))
        assert np.array_equal(pixels, np.asarray(expected.images[0]))
        assert result.strength == strength


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_inpainting_gives_the_same_pixels_as_diffusers_inside_the_mask(
    pipeline: TextToImage, folder: Path, strength: float
) -> None:
    diffusers_pipe = StableDiffusionInpaintPipeline.from_pretrained(folder)
    diffusers_pipe.set_progress_bar_config(disable=True)
    expected: Any = diffusers_pipe(
        "a cat",
        image=init_latents(diffusers_pipe),
        mask_image=half_mask(32, 32),
        masked_image_latents=torch.zeros(1, 4, 16, 16),  # only used by networks with nine channels
        width=32,
        height=32,
        strength=strength,
        num_inference_steps=5,
        generator=torch.Generator().manual_seed(5),
    )
    _, pixels = generate(pipeline, replace(INPAINTING, strength=strength))
    # The blurred edge of the mask is further right.
    assert np.abs(pixels[:, :4] - np.asarray(expected.images[0])[:, :4]).max() <= 6


def test_pixels_outside_the_mask_equal_those_of_the_init_image(pipeline: TextToImage) -> None:
    _, pixels = generate(pipeline, INPAINTING)
    assert np.array_equal(pixels[:, 16:], np.asarray(INIT_IMAGE)[:, 16:])
    assert not np.array_equal(pixels[:, :8], np.asarray(INIT_IMAGE)[:, :8])


def test_a_size_that_is_not_a_multiple_of_8_is_cropped_and_not_scaled(pipeline: TextToImage) -> None:
    picture = noisy(35, 29)
    request = replace(INPAINTING, image=encode_png(picture), mask=encode_png(half_mask(35, 29)))
    result, pixels = generate(pipeline, request)
    assert (result.width, result.height) == (32, 24)
    assert np.array_equal(pixels[:, 17:], np.asarray(picture)[2:26, 1 + 17 : 33])


def test_a_region_has_the_same_effect_as_a_mask(pipeline: TextToImage) -> None:
    _, by_mask = generate(pipeline, INPAINTING)
    _, by_region = generate(pipeline, replace(INPAINTING, mask=b"", region="left half"))
    assert np.array_equal(by_mask, by_region)


def test_a_transparent_area_is_a_mask_unless_the_request_has_one(pipeline: TextToImage) -> None:
    with_hole = INIT_IMAGE.convert("RGBA")
    with_hole.putalpha(Image.fromarray(255 - np.asarray(half_mask(32, 32))))
    request = replace(INPAINTING, image=encode_png(with_hole), mask=b"")
    _, pixels = generate(pipeline, request)
    assert np.array_equal(pixels[:, 16:], np.asarray(INIT_IMAGE)[:, 16:])
    _, right = generate(pipeline, replace(request, region="right half"))
    assert (right[:, :16] == 255).all()  # a transparent area becomes white


def test_strokes_on_a_transparent_layer_are_a_mask_and_a_note_says_so(pipeline: TextToImage) -> None:
    strokes = Image.new("RGBA", (32, 32), (255, 255, 255, 0))
    strokes.paste((255, 255, 255, 255), (0, 0, 16, 32))
    result, pixels = generate(pipeline, replace(INPAINTING, mask=encode_png(strokes)))
    _, by_black_and_white = generate(pipeline, INPAINTING)
    assert np.array_equal(pixels, by_black_and_white)
    assert "What is painted in the mask was drawn anew" in result.note


def test_what_was_adjusted_in_a_request_is_noted_once(pipeline: TextToImage) -> None:
    result, _ = generate(pipeline, replace(IMAGE_TO_IMAGE, note=Phrase("The seed was too large.")))
    assert result.note.startswith("The seed was too large.")
    assert request_for_image(replace(IMAGE_TO_IMAGE, note=Phrase("The seed.")), result, 0).note == ""


def test_the_init_image_is_rotated_as_its_exif_orientation_says(pipeline: TextToImage) -> None:
    file = BytesIO()
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn
    INIT_IMAGE.crop((0, 0, 32, 16)).save(file, "PNG", exif=exif)
    result, _ = generate(pipeline, replace(IMAGE_TO_IMAGE, image=file.getvalue()))
    assert (result.width, result.height) == (16, 32)


def test_a_higher_strength_changes_the_init_image_more(pipeline: TextToImage) -> None:
    source = np.asarray(INIT_IMAGE).astype(int)
    _, low = generate(pipeline, replace(IMAGE_TO_IMAGE, strength=0.2))
    _, high = generate(pipeline, replace(IMAGE_TO_IMAGE, strength=1.0))
    _, encoded = generate(pipeline, replace(IMAGE_TO_IMAGE, strength=0.01))
    assert np.abs(low - encoded).mean() < np.abs(high - encoded).mean()
    assert np.abs(source - high).mean() > 0


def test_progress_reaches_all_steps_at_every_strength(pipeline: TextToImage) -> None:
    for strength in (0.01, 0.5):
        batch = MemoryBatch.of(replace(IMAGE_TO_IMAGE, strength=strength))
        batch.run(pipeline)
        steps = [event for event in batch.jobs[0].events if isinstance(event, Progress)]
        assert (steps[-1].step, steps[-1].total) == (5, 5)


def test_an_empty_mask_is_refused_without_effect_on_other_requests(pipeline: TextToImage) -> None:
    black_mask = replace(INPAINTING, mask=encode_png(Image.new("L", (32, 32), 0)))
    refused, result = run(pipeline, black_mask, IMAGE_TO_IMAGE)
    assert isinstance(refused, InvalidRequest)
    assert "White is what is drawn anew" in refused.user_message
    assert isinstance(result, ImageResult)


def test_images_in_a_batch_are_nearly_the_same_as_alone(pipeline: TextToImage, folder: Path) -> None:
    _, image_to_image = generate(pipeline, IMAGE_TO_IMAGE)
    _, inpainting = generate(pipeline, INPAINTING)
    together = TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=lambda: 0.0)
    requests = (IMAGE_TO_IMAGE, replace(IMAGE_TO_IMAGE, seed=6), INPAINTING, replace(INPAINTING, prompt="a cow"))
    results = [np.asarray(Image.open(BytesIO(d.pictures[0].png))) for d in run(together, *requests)]  # type: ignore[union-attr]
    assert np.abs(results[0] - image_to_image).max() <= 2
    assert np.abs(results[2] - inpainting).max() <= 2


def test_decoding_of_init_images_yields_and_can_be_cancelled(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(
        IMAGE_TO_IMAGE, replace(IMAGE_TO_IMAGE, seed=6), replace(IMAGE_TO_IMAGE, image=b"no picture")
    )
    batch.on_yield = lambda: batch.yield_points == 3 and [job.cancel() for job in batch.jobs]
    with pytest.raises(RequestCancelled):
        pipeline.run(batch)
    assert batch.yield_points == 3
    assert not any(job.events or job.outcome for job in batch.jobs)


def test_init_images_work_with_stable_diffusion_xl(tmp_path: Path) -> None:
    pipeline = TextToImage(read_pipeline(save_stable_diffusion_xl(tmp_path), CPU), clock=lambda: 0.0)
    result, pixels = generate(pipeline, replace(INPAINTING, sampler=None))
    assert (result.width, result.height) == (32, 32)
    assert np.array_equal(pixels[:, 16:], np.asarray(INIT_IMAGE)[:, 16:])
    assert generate(pipeline, replace(IMAGE_TO_IMAGE, sampler=None))[0].strength == 0.75


def test_init_images_work_in_bfloat16(pipeline: TextToImage, folder: Path) -> None:
    bfloat16 = TextToImage(read_pipeline(folder, Placement(torch.device("cpu"), torch.bfloat16)), clock=lambda: 0.0)
    for request in (IMAGE_TO_IMAGE, INPAINTING, replace(INPAINTING, strength=0.5)):
        assert np.abs(generate(bfloat16, request)[1] - generate(pipeline, request)[1]).mean() < 8


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (512, 512)),
        ((641, 487), (640, 480)),
        ((4000, 3000), (1024, 768)),
        ((100, 50), (512, 256)),
        ((4000, 100), (1024, 64)),
    ],
)
def test_a_size_is_inferred_in_multiples_of_8_within_limits(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert inferred_size(size, native_side=512, max_side=1024) == expected


def test_a_slightly_too_large_picture_is_cropped_and_not_scaled() -> None:
    picture = noisy(103, 70)
    assert np.array_equal(np.asarray(fit(picture, (96, 64))), np.asarray(picture)[3:67, 3:99])
    assert fit(picture, (40, 64)).size == (40, 64)


def test_a_scaled_picture_keeps_its_centre() -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    pixels = np.asarray(fit(picture, (64, 64)))
    assert (pixels == (0, 0, 255)).all(axis=2)[:, 4:-4].all()


def test_scaling_a_very_long_picture_needs_little_memory() -> None:
    strip = noisy(50_000, 1)
    Image.core.reset_stats()
    assert fit(strip, (1024, 64)).size == (1024, 64)
    assert Image.core.get_stats()["allocated_blocks"] <= 8  # of 16 MiB each


def test_marked_pictures_tell_what_was_drawn_and_keep_what_was_not(pipeline: TextToImage) -> None:
    given = noisy(128, 128)
    request = replace(INPAINTING, image=encode_png(given), mask=encode_png(half_mask(128, 128)), width=128, height=128)
    plain, marked = (generate(pipeline, replace(request, mark_origin=mark)) for mark in (False, True))
    assert np.array_equal(marked[1][:, 64:], np.asarray(given)[:, 64:])
    assert not np.array_equal(marked[1], plain[1])
    assert source_type(marked[0].pictures[0].png) == "compositeWithTrainedAlgorithmicMedia"
    assert source_type(plain[0].pictures[0].png) == ""
    drawn, _ = generate(pipeline, replace(IMAGE_TO_IMAGE, mark_origin=True))
    assert source_type(drawn.pictures[0].png) == "trainedAlgorithmicMedia"
