"""Requests to a tiny model of Stable Diffusion, and helpers that run them."""

from __future__ import annotations

from io import BytesIO

import torch
from PIL import Image

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec
from tests.inference.pipelines.harness import run

SPEC = ModelSpec(name="tiny", task="imagine", repo="tiny")
CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", sampler="PNDM", steps=3, seed=5)
DOG = ImagineRequest(prompt="a dog", negative_prompt="a cat", sampler="PNDM", steps=3, seed=7)


def stopped_clock() -> float:
    return 0.0


def generate(pipeline: TextToImage, *requests: ImagineRequest) -> list[ImageResult]:
    outcomes = run(pipeline, *requests)
    assert all(isinstance(outcome, ImageResult) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]


def pngs(*results: ImageResult) -> list[bytes]:
    return [picture.png for result in results for picture in result.pictures]


def open_png(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))
