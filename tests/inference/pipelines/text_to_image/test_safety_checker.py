"""Test the safety checker of a model: the same flags as diffusers, and what happens to flagged images."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from inference import infotext
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.safety_checker import SafetyChecker
from inference.tasks import ImageResult, ImagineRequest
from inference.types import Progress
from tests.inference.pipelines.harness import MemoryBatch
from tests.inference.pipelines.tiny_images import save_stable_diffusion

CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", steps=3, seed=5)


def test_the_flags_equal_those_of_diffusers(tmp_path: Path) -> None:
    diffusers_pipe: Any = StableDiffusionPipeline.from_pretrained(save_stable_diffusion(tmp_path))
    torch.manual_seed(0)
    torch.nn.init.normal_(diffusers_pipe.safety_checker.concept_embeds)
    torch.nn.init.constant_(diffusers_pipe.safety_checker.concept_embeds_weights, 0.55)
    pictures = np.random.default_rng(0).random((12, 32, 32, 3)) * np.linspace(0.1, 1, 12)[:, None, None, None]
    expected = [
        diffusers_pipe.run_safety_checker(picture[None], diffusers_pipe.device, torch.float32)[1][0]
        for picture in pictures
    ]
    assert len(set(expected)) == 2
    images = diffusers_pipe.image_processor.numpy_to_pil(pictures)
    checker = SafetyChecker(diffusers_pipe)
    assert [checker.is_flagged(image) for image in images] == expected
    assert diffusers_pipe.safety_checker is None


def generate(folder: Path, request: ImagineRequest) -> tuple[ImageResult, list[bytes | None]]:
    """Return the result of a model that flags every image, and its previews."""
    ticks = iter(range(0, 1000, 10))
    pipe = read_pipeline(save_stable_diffusion(folder, flags_everything=True), CPU)
    batch = MemoryBatch.of(request)
    (result,) = batch.run(TextToImage(pipe, clock=lambda: float(next(ticks))))
    assert isinstance(result, ImageResult)
    return result, [event.preview for event in batch.jobs[0].events if isinstance(event, Progress)]


def test_a_flagged_image_and_its_previews_are_withheld(tmp_path: Path) -> None:
    result, previews = generate(tmp_path, CAT)
    assert [(picture.flagged, picture.png, picture.seed) for picture in result.pictures] == [(True, b"", 5)]
    assert set(previews) == {None}


def test_a_flagged_image_is_returned_with_its_flag_if_the_request_allows_it(tmp_path: Path) -> None:
    result, previews = generate(tmp_path, replace(CAT, show_flagged=True, count=2))
    assert [picture.flagged for picture in result.pictures] == [True, True]
    assert all(Image.open(BytesIO(picture.png)).size == (16, 16) for picture in result.pictures)
    repeated = infotext.read(result.pictures[1].png)
    assert repeated
    assert (repeated.seed, repeated.show_flagged) == (6, False)
    assert set(previews) == {None}
