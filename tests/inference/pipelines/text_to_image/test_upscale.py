"""Test models with upscaling, other latents, their own guidance scale, or a list of known concepts."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.super_resolution.swin2sr import Swin2SR
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.model_defaults import ModelDefaults
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec, Progress
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import save_stable_diffusion
from tests.inference.pipelines.tiny_super_resolution import save_swin2sr

CAT = ImagineRequest(prompt="a cat", steps=2, seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


def make_pipeline(folder: Path, upscale: int = 1, guidance_scale: float | None = None) -> TextToImage:
    pipe = read_pipeline(folder, Placement(torch.device("cpu"), torch.float32))
    runner = DiffusionRunner(pipe, upscale=upscale, defaults=ModelDefaults(guidance_scale=guidance_scale))
    return TextToImage(pipe, runner, clock=lambda: 0.0)


def generate(pipeline: TextToImage, request: ImagineRequest) -> tuple[ImageResult, Image.Image]:
    (result,) = run(pipeline, request)
    assert isinstance(result, ImageResult), result
    return result, Image.open(BytesIO(result.pictures[0].png))


def test_an_upscaled_image_is_the_resized_output_of_the_model(folder: Path) -> None:
    result, large = generate(make_pipeline(folder, upscale=4), CAT)
    _, small = generate(make_pipeline(folder), CAT)
    assert (result.width, result.height) == large.size == (4 * small.width, 4 * small.height)
    assert np.array_equal(np.asarray(large), np.asarray(small.resize(large.size, Image.Resampling.LANCZOS)))


def test_a_model_with_upscaling_accepts_any_size(folder: Path) -> None:
    result, large = generate(make_pipeline(folder, upscale=4), replace(CAT, width=72, height=200))
    assert (result.width, result.height) == large.size == (72, 200)


def test_inpainting_a_large_picture_keeps_the_pixels_outside_the_region(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    request = replace(CAT, image=encode_png(Image.fromarray(noise)), region="left half")
    result, inpainted = generate(make_pipeline(folder, upscale=4), request)
    pixels = np.asarray(inpainted)
    assert (result.width, result.height) == (128, 128)
    assert np.array_equal(pixels[:, 64:], noise[:, 64:])
    assert not np.array_equal(pixels[:, :64], noise[:, :64])


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_inpainting_works_with_more_latent_channels(tmp_path: Path, strength: float) -> None:
    pipeline = make_pipeline(save_stable_diffusion(tmp_path, latent_channels=12))
    _, original = generate(pipeline, CAT)
    request = replace(CAT, seed=6, image=encode_png(original), region="left half", strength=strength)
    _, inpainted = generate(pipeline, request)
    before, after = np.asarray(original), np.asarray(inpainted)
    assert np.array_equal(before[:, 8:], after[:, 8:])
    assert not np.array_equal(before[:, :8], after[:, :8])
    assert generate(pipeline, CAT)[1] == original  # inpainting does not affect later images


def test_a_preview_is_decoded_by_the_vae_if_decoding_is_fast(folder: Path) -> None:
    pipe = read_pipeline(folder, Placement(torch.device("cpu"), torch.float32))
    pipe.vae.register_to_config(scaling_factor=1.0)  # no known latent colours for this scaling factor
    batch = MemoryBatch.of(CAT)
    (result,) = batch.run(TextToImage(pipe, clock=lambda: 4.0 * batch.yield_points))
    previews = [event.preview for event in batch.jobs[0].events if isinstance(event, Progress) and event.preview]
    assert isinstance(result, ImageResult)
    last, picture = Image.open(BytesIO(previews[-1])), Image.open(BytesIO(result.pictures[0].png))
    difference = np.asarray(last.resize(picture.size)).astype(int) - np.asarray(picture)
    assert np.abs(difference).mean() < 16


def test_a_model_can_have_its_own_default_guidance_scale(folder: Path) -> None:
    assert generate(make_pipeline(folder, guidance_scale=3.0), CAT)[0].guidance_scale == 3.0
    assert (
        generate(make_pipeline(folder, guidance_scale=3.0), replace(CAT, guidance_scale=5.0))[0].guidance_scale == 5.0
    )
    assert generate(make_pipeline(folder), CAT)[0].guidance_scale == 7.5


def test_unknown_words_are_noted_and_a_prompt_of_only_unknown_words_is_refused(tmp_path: Path) -> None:
    pipe = read_pipeline(save_stable_diffusion(tmp_path, checker=False), Placement(torch.device("cpu"), torch.float32))
    pipeline = TextToImage(pipe, DiffusionRunner(pipe, concepts={"animals": ("cat",)}))
    assert generate(pipeline, CAT)[0].note == ""
    assert (
        "This model does not know: paris."
        in generate(pipeline, replace(CAT, prompt="a (cat:1.2) BREAK in Paris"))[0].note
    )
    prompts = ("a (Parisian:1.2) cat BREAK [dusk]", "a cat BREAK")
    with_unknown_words, plain = (generate(pipeline, replace(CAT, prompt=prompt))[1] for prompt in prompts)
    assert np.array_equal(np.asarray(with_unknown_words), np.asarray(plain))
    assert "know: dogs." in generate(pipeline, replace(CAT, negative_prompt="dogs"))[0].note
    (refused,) = run(pipeline, replace(CAT, prompt="(Paris:1.2) at dusk"))
    assert isinstance(refused, InvalidRequest)
    assert "such as cat" in str(refused)


def test_the_pictures_of_a_small_model_are_enlarged_by_its_upscaler(folder: Path, tmp_path: Path) -> None:
    enlarger = save_swin2sr(tmp_path, factor=4)
    spec = ModelSpec(name="tiny", task="imagine", repo="tiny", upscale=4, upscaler=str(enlarger))
    placement = Placement(torch.device("cpu"), torch.float32)
    pipeline = TextToImage.load(spec, folder, placement)
    _, small = generate(make_pipeline(folder), CAT)
    result, large = generate(pipeline, CAT)
    expected = Swin2SR.load(enlarger, placement, "auto").enlarge(small)
    assert (result.width, result.height) == large.size == expected.size
    assert large.tobytes() == expected.tobytes()
    assert pipeline.nbytes > make_pipeline(folder).nbytes


def test_other_work_may_run_while_a_picture_is_enlarged(folder: Path, tmp_path: Path) -> None:
    spec = ModelSpec(
        name="tiny", task="imagine", repo="tiny", upscale=4, upscaler=str(save_swin2sr(tmp_path, factor=4))
    )
    counts: list[int] = []
    for pipeline in (
        make_pipeline(folder, upscale=4),
        TextToImage.load(spec, folder, Placement(torch.device("cpu"), torch.float32)),
    ):
        batch = MemoryBatch.of(CAT)
        batch.run(pipeline)
        counts.append(batch.yield_points)
    assert counts[1] == counts[0] + 4, "one for each layer of the upscaler"
