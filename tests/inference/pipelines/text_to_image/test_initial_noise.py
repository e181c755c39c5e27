"""Test the initial noise: variations interpolate it, so that their images look similar."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.generation_settings import ImageSpec
from inference.pipelines.text_to_image.initial_noise import initial_noise, make_generators
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import ImageResult, ImagineRequest, Variation
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_images import save_stable_diffusion

CAT = ImagineRequest(prompt="a cat", seed=5, steps=5)


def noise(seed: int, *variations: Variation) -> torch.Tensor:
    spec = ImageSpec("", "", seed, variations)
    return initial_noise([spec], make_generators([spec]), (4, 32, 32))[0]


def test_strength_0_gives_the_noise_of_the_parent_and_strength_1_that_of_the_variation() -> None:
    assert torch.equal(noise(5, Variation(9, 0.0)), noise(5))
    assert torch.equal(noise(5, Variation(9, 1.0)), noise(9))
    assert torch.equal(noise(5, Variation(9, 1.0), Variation(7, 0.0)), noise(9))


def test_interpolated_noise_keeps_a_standard_deviation_of_1() -> None:
    for strength in (0.1, 0.5, 0.9):
        assert noise(5, Variation(9, strength)).std().item() == pytest.approx(1, abs=0.03)


def test_variations_are_applied_in_order() -> None:
    first, second = Variation(9, 0.3), Variation(7, 0.4)
    assert not torch.allclose(noise(5, first, second), noise(5, second, first), atol=0.1)


def test_the_noise_of_later_steps_differs_from_the_initial_noise() -> None:
    spec = ImageSpec("", "", 5)
    generators = make_generators([spec])
    start = initial_noise([spec], generators, (4, 8, 8))[0]
    assert not torch.equal(torch.randn(4, 8, 8, generator=generators[0]), start)


@pytest.mark.parametrize("sampler", ["DPM++ 2M Karras", "Euler a"])
def test_the_image_of_a_small_variation_is_similar_to_its_parent(tmp_path: Path, sampler: Any) -> None:
    placement = Placement(torch.device("cpu"), torch.float32)
    pipeline = TextToImage(read_pipeline(save_stable_diffusion(tmp_path), placement), clock=lambda: 0.0)

    def pixels(seed: int, *variations: Variation) -> Any:
        (result,) = run(pipeline, replace(CAT, seed=seed, variations=variations, sampler=sampler))
        assert isinstance(result, ImageResult)
        return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(float)

    parent = pixels(5)
    small_difference, large_difference = (
        np.abs(other - parent).mean() for other in (pixels(5, Variation(9, 0.1)), pixels(9))
    )
    assert 0 < small_difference < large_difference / 3
    assert np.array_equal(pixels(5, Variation(9, 0.0)), parent)
