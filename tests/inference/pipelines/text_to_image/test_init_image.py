"""Pictures that start from a picture: image-to-image, and drawing a part anew."""

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
from inference.types import Progress
from inference.types.errors import InvalidRequest, RequestCancelled
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

CPU = Placement(torch.device("cpu"), torch.float32)


def noisy(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture in which no two places are alike."""
    shape = (height, width, len(mode)) if len(mode) > 1 else (height, width)
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), mode)


def half_mask(width: int, height: int) -> Image.Image:
    """The left half white: to be drawn anew."""
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return mask


PICTURE = noisy(32, 32)
REMIX = ImagineRequest(prompt="a cat", image=encode_png(PICTURE), sampler="PNDM", steps=5, seed=5)
REPAINT = replace(REMIX, mask=encode_png(half_mask(32, 32)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> TextToImage:
    return TextToImage(read_pipeline(folder, CPU), clock=lambda: 0.0)


def draw(pipeline: TextToImage, request: ImagineRequest) -> tuple[ImageResult, Any]:
    """The drawing, and its first picture's pixels [height, width, 3]."""
    (result,) = run(pipeline, request)
    assert isinstance(result, ImageResult), result
    return result, np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def stock_latents(pipe: Any) -> torch.Tensor:
    """The picture as diffusers encodes it with the seed, so that its pipeline starts from the same noise as ours."""
    pixels = pipe.image_processor.preprocess(PICTURE)
    generator = torch.Generator().manual_seed(5)
    torch.randn(1, 4, 16, 16, generator=generator)  # the noise comes first
    with torch.inference_mode():
        encoded = pipe.vae.encode(pixels).latent_dist.sample(generator)
    return pipe.vae.config.scaling_factor * encoded


def test_image_to_image_has_the_pixels_of_diffusers_own_pipeline(pipeline: TextToImage, folder: Path) -> None:
    diffusers_pipe = StableDiffusionImg2ImgPipeline.from_pretrained(folder)
    diffusers_pipe.set_progress_bar_config(disable=True)
    for strength in (0.5, 0.9):
        expected: Any = diffusers_pipe(
            "a cat",
            image=stock_latents(diffusers_pipe),
            strength=strength,
            num_inference_steps=5,
            generator=torch.Generator().manual_seed(5),
        )
        result, pixels = draw(pipeline, replace(REMIX, strength=strength))
        assert np.array_equal(pixels, np.asarray(expected.images[0]))
        assert result.strength == strength


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_inside_the_mask_are_the_pixels_of_diffusers_own_inpainting(
    pipeline: TextToImage, folder: Path, strength: float
) -> None:
    diffusers_pipe = StableDiffusionInpaintPipeline.from_pretrained(folder)
    diffusers_pipe.set_progress_bar_config(disable=True)
    expected: Any = diffusers_pipe(
        "a cat",
        image=stock_latents(diffusers_pipe),
        mask_image=half_mask(32, 32),
        masked_image_latents=torch.zeros(1, 4, 16, 16),  # for networks with nine channels only
        width=32,
        height=32,
        strength=strength,
        num_inference_steps=5,
        generator=torch.Generator().manual_seed(5),
    )
    _, pixels = draw(pipeline, replace(REPAINT, strength=strength))
    assert np.abs(pixels[:, :4] - np.asarray(expected.images[0])[:, :4]).max() <= 6  # the seam is soft, and far away


def test_outside_the_mask_every_byte_is_the_sources(pipeline: TextToImage) -> None:
    _, pixels = draw(pipeline, REPAINT)
    assert np.array_equal(pixels[:, 16:], np.asarray(PICTURE)[:, 16:])
    assert not np.array_equal(pixels[:, :8], np.asarray(PICTURE)[:, :8])


def test_a_size_that_is_no_multiple_of_8_is_cut_and_the_rest_stays_the_same(pipeline: TextToImage) -> None:
    picture = noisy(35, 29)
    request = replace(REPAINT, image=encode_png(picture), mask=encode_png(half_mask(35, 29)))
    result, pixels = draw(pipeline, request)
    assert (result.width, result.height) == (32, 24)
    assert np.array_equal(pixels[:, 17:], np.asarray(picture)[2:26, 1 + 17 : 33])


def test_a_region_is_a_mask(pipeline: TextToImage) -> None:
    _, by_mask = draw(pipeline, REPAINT)
    _, by_region = draw(pipeline, replace(REPAINT, mask=b"", region="left half"))
    assert np.array_equal(by_mask, by_region)


def test_a_transparent_hole_is_a_mask_and_a_given_mask_goes_before_it(pipeline: TextToImage) -> None:
    hole = PICTURE.convert("RGBA")
    hole.putalpha(Image.fromarray(255 - np.asarray(half_mask(32, 32))))
    request = replace(REPAINT, image=encode_png(hole), mask=b"")
    _, pixels = draw(pipeline, request)
    assert np.array_equal(pixels[:, 16:], np.asarray(PICTURE)[:, 16:])
    _, right = draw(pipeline, replace(request, region="right half"))
    assert (right[:, :16] == 255).all()  # the hole shows white, as everywhere


def test_the_picture_is_turned_upright_as_its_exif_data_say(pipeline: TextToImage) -> None:
    file = BytesIO()
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn
    PICTURE.crop((0, 0, 32, 16)).save(file, "PNG", exif=exif)
    result, _ = draw(pipeline, replace(REMIX, image=file.getvalue()))
    assert (result.width, result.height) == (16, 32)


def test_strength_says_how_far_the_drawing_may_go(pipeline: TextToImage) -> None:
    source = np.asarray(PICTURE).astype(int)
    _, little = draw(pipeline, replace(REMIX, strength=0.2))
    _, much = draw(pipeline, replace(REMIX, strength=1.0))
    _, encoded = draw(pipeline, replace(REMIX, strength=0.01))
    assert np.abs(little - encoded).mean() < np.abs(much - encoded).mean()
    assert np.abs(source - much).mean() > 0


def test_progress_reaches_all_the_steps_whatever_the_strength(pipeline: TextToImage) -> None:
    for strength in (0.01, 0.5):
        batch = MemoryBatch.of(replace(REMIX, strength=strength))
        batch.run(pipeline)
        steps = [event for event in batch.jobs[0].events if isinstance(event, Progress)]
        assert (steps[-1].step, steps[-1].total) == (5, 5)


def test_a_mask_that_leaves_nothing_to_draw_is_refused_and_others_are_drawn(pipeline: TextToImage) -> None:
    black = replace(REPAINT, mask=encode_png(Image.new("L", (32, 32), 0)))
    refused, result = run(pipeline, black, REMIX)
    assert isinstance(refused, InvalidRequest)
    assert "White is what is drawn anew" in refused.user_message
    assert isinstance(result, ImageResult)


def test_images_in_a_batch_are_nearly_the_same_as_alone(pipeline: TextToImage, folder: Path) -> None:
    _, remix = draw(pipeline, REMIX)
    _, repaint = draw(pipeline, REPAINT)
    together = TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=lambda: 0.0)
    requests = (REMIX, replace(REMIX, seed=6), REPAINT, replace(REPAINT, prompt="a cow"))
    results = [np.asarray(Image.open(BytesIO(d.pictures[0].png))) for d in run(together, *requests)]  # type: ignore[union-attr]
    assert np.abs(results[0] - remix).max() <= 2
    assert np.abs(results[2] - repaint).max() <= 2


def test_decoding_of_initial_images_yields_and_can_be_cancelled(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(REMIX, replace(REMIX, seed=6), replace(REMIX, image=b"no picture"))
    batch.on_yield = lambda: batch.yield_points == 3 and [job.cancel() for job in batch.jobs]
    with pytest.raises(RequestCancelled):
        pipeline.run(batch)
    assert batch.yield_points == 3
    assert not any(job.events or job.outcome for job in batch.jobs)


def test_stable_diffusion_xl_starts_from_pictures_too(tmp_path: Path) -> None:
    pipeline = TextToImage(read_pipeline(save_stable_diffusion_xl(tmp_path), CPU), clock=lambda: 0.0)
    result, pixels = draw(pipeline, replace(REPAINT, sampler=None))
    assert (result.width, result.height) == (32, 32)
    assert np.array_equal(pixels[:, 16:], np.asarray(PICTURE)[:, 16:])
    assert draw(pipeline, replace(REMIX, sampler=None))[0].strength == 0.75


def test_bfloat16_starts_from_pictures_too(pipeline: TextToImage, folder: Path) -> None:
    half = TextToImage(read_pipeline(folder, Placement(torch.device("cpu"), torch.bfloat16)), clock=lambda: 0.0)
    for request in (REMIX, REPAINT, replace(REPAINT, strength=0.5)):
        assert np.abs(draw(half, request)[1] - draw(pipeline, request)[1]).mean() < 8


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


def test_what_is_a_little_too_large_is_cut_and_not_scaled() -> None:
    picture = noisy(103, 70)
    assert np.array_equal(np.asarray(fit(picture, (96, 64))), np.asarray(picture)[3:67, 3:99])
    assert fit(picture, (40, 64)).size == (40, 64)


def test_what_is_scaled_keeps_its_middle() -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    pixels = np.asarray(fit(picture, (64, 64)))
    assert (pixels == (0, 0, 255)).all(axis=2)[:, 4:-4].all()


def test_a_long_strip_is_scaled_in_the_memory_of_the_drawing() -> None:
    strip = noisy(50_000, 1)
    Image.core.reset_stats()
    assert fit(strip, (1024, 64)).size == (1024, 64)
    assert Image.core.get_stats()["allocated_blocks"] <= 8  # of 16 MiB each
