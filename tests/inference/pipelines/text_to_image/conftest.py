"""A tiny model of Stable Diffusion, which files with models of their own override."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU, stopped_clock
from tests.inference.pipelines.tiny_images import save_stable_diffusion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> TextToImage:
    return TextToImage(read_pipeline(folder, CPU), clock=stopped_clock)
