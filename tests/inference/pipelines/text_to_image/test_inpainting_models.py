"""Test checkpoints that were made for inpainting: their networks also take a picture and a mask."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline, UNet2DConditionModel
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult, ImagineRequest
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
MASK = Image.new("L", (32, 32), 255)
REQUEST = ImagineRequest(prompt="a cat", seed=5, steps=3, sampler="PNDM")
INPAINTING = replace(REQUEST, image=encode_png(PICTURE), mask=encode_png(MASK))


def save_inpainting_model(folder: Path, *, xl: bool) -> Path:
    """Save a model like stable-diffusion-inpainting: the UNet takes four latents, the mask, and four of the picture."""
    save, kind = (save_stable_diffusion_xl, StableDiffusionXLInpaintPipeline) if xl else (save_stable_diffusion, None)
    save(folder)
    unet: Any = UNet2DConditionModel.from_pretrained(folder / "unet")
    torch.manual_seed(1)
    wider: Any = UNet2DConditionModel.from_config(dict(unet.config) | {"in_channels": 9})
    options: dict[str, Any] = {"unet": wider.eval()}
    (kind or StableDiffusionInpaintPipeline).from_pretrained(folder, **options).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["SD", "SDXL"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_inpainting_model(tmp_path_factory.mktemp("inpainting"), xl=request.param)


def test_a_picture_and_a_mask_give_the_pixels_of_diffusers_own_call(folder: Path) -> None:
    (result,) = run(TextToImage(read_pipeline(folder, CPU), clock=lambda: 0.0), INPAINTING)
    assert isinstance(result, ImageResult), result
    from diffusers import AutoPipelineForInpainting, PNDMScheduler

    own: Any = AutoPipelineForInpainting.from_pretrained(folder)
    own.set_progress_bar_config(disable=True)
    own.scheduler = PNDMScheduler.from_config(own.scheduler.config, skip_prk_steps=True)
    if getattr(own, "safety_checker", None):
        own.safety_checker = None
    options: dict[str, Any] = {"image": PICTURE, "mask_image": MASK, "width": 32, "height": 32, "strength": 1.0}
    expected = own(
        "a cat", num_inference_steps=3, guidance_scale=7.5, generator=torch.Generator().manual_seed(5), **options
    )
    pixels = np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)
    assert np.array_equal(pixels, np.asarray(expected.images[0]))


def test_without_a_picture_or_a_region_it_says_what_it_needs(folder: Path) -> None:
    pipeline = TextToImage(read_pipeline(folder, CPU), clock=lambda: 0.0)
    for request in (REQUEST, replace(REQUEST, image=encode_png(PICTURE))):
        (refused,) = run(pipeline, request)
        assert isinstance(refused, InvalidRequest)
        assert "made to draw a part of a picture anew. Give it a picture and say which part" in str(refused)
