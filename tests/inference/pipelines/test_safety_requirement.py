"""Test requests that require a safety checker, for models with and without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_images import save_stable_diffusion

SPEC = ModelSpec(name="tiny", task="imagine", repo="tiny")
CAT = ImagineRequest(prompt="a cat", steps=2, seed=5)


@pytest.mark.parametrize("checker", [True, False])
def test_only_requests_that_require_a_missing_safety_checker_are_refused(tmp_path: Path, checker: bool) -> None:
    folder = save_stable_diffusion(tmp_path, checker=checker)
    pipeline = TextToImage.load(SPEC, folder, Placement(torch.device("cpu"), torch.float32))
    strict, plain = run(pipeline, replace(CAT, require_safety_checker=True), CAT)
    assert isinstance(plain, ImageResult)
    assert isinstance(strict, ImageResult if checker else InvalidRequest)
