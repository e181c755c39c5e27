"""Test that pictures are extended by inpainting, and which models can do it."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inference.images.outpainting import Extension, layout_of, outpainting_canvas
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult, ImagineRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_images import save_stable_diffusion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


def drawn(pipeline: TextToImage, request: ImagineRequest) -> ImageResult:
    (result,) = run(pipeline, request)
    assert isinstance(result, ImageResult), result
    return result


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


@pytest.mark.parametrize("upscale", [1, 4])
@pytest.mark.parametrize("extension", ["zoom15", "zoom2", "left", "down"])
def test_the_old_part_of_an_extended_picture_is_unchanged_to_the_byte(
    folder: Path, upscale: int, extension: Extension
) -> None:
    pipe = read_pipeline(folder, Placement(torch.device("cpu"), torch.float32))
    pipeline = TextToImage(pipe, DiffusionRunner(pipe, upscale=upscale))
    old = drawn(pipeline, ImagineRequest(prompt="a cat", steps=2, seed=5))
    side, most = old.width, old.outpainting_side
    assert most == 2 * side
    canvas = outpainting_canvas(old.pictures[0].png, (side, side), extension, most, 50, 8 * upscale)
    width, height = canvas.width, canvas.height
    request = ImagineRequest(prompt="a cat", steps=2, seed=6, image=canvas.image, mask=canvas.mask)
    new = drawn(pipeline, replace(request, width=width, height=height))
    assert (new.width, new.height) == (width, height)
    layout = layout_of((side, side), extension, most, 8 * upscale)
    left, top, right, bottom = layout.placed
    assert np.array_equal(pixels(new.pictures[0].png)[top:bottom, left:right], pixels(old.pictures[0].png))
    assert not np.array_equal(pixels(new.pictures[0].png), pixels(canvas.image)), "the rest is drawn"


def test_the_largest_canvas_is_within_the_limit_of_the_operator(folder: Path) -> None:
    pipeline = TextToImage(read_pipeline(folder, Placement(torch.device("cpu"), torch.float32)))
    assert drawn(pipeline, ImagineRequest(prompt="a cat", steps=1, largest_side=30)).outpainting_side == 24
