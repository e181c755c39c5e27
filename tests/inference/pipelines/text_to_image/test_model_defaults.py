"""Test what models draw with where a request names nothing: the operator's values, or those of the makers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from diffusers import EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler

from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.model_defaults import ModelDefaults, makers_defaults
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU
from tests.inference.pipelines.tiny_images import save_stable_diffusion_xl


def spec(repo: Any, **options: Any) -> ModelSpec:
    return ModelSpec(name="tiny", task="imagine", repo=str(repo), **options)


def draw(pipeline: TextToImage) -> ImageResult:
    (result,) = run(pipeline, ImagineRequest(prompt="a cat", seed=5))
    assert isinstance(result, ImageResult), result
    return result


@pytest.mark.parametrize(
    ("name", "steps", "guidance_scale"),
    [
        ("black-forest-labs/FLUX.1-schnell", 4, 0),
        ("black-forest-labs/FLUX.1-dev", 0, None),  # its own call has the makers' values
        ("black-forest-labs/FLUX.2-klein-4B", 4, 1),
        ("black-forest-labs/FLUX.2-klein-base-4B", 50, 4),
        ("Tongyi-MAI/Z-Image-Turbo", 9, 0),
        ("stabilityai/stable-diffusion-3.5-large-turbo", 4, 0),
        ("stabilityai/stable-diffusion-3.5-large", 28, 3.5),
        ("stabilityai/stable-diffusion-xl-base-1.0", 0, None),
        ("SG161222/RealVisXL_V5.0_Lightning", 4, 0),
        ("someone/sdxl_lightning_8step", 8, 0),
        ("ByteDance/Hyper-SD", 8, 0),
        ("tianweiy/DMD2", 4, 0),
    ],
)
def test_the_name_says_how_the_makers_draw(name: str, steps: int, guidance_scale: float | None) -> None:
    found = makers_defaults(name)
    assert (found.steps, found.guidance_scale) == (steps, guidance_scale)


def test_a_lightning_model_draws_in_4_steps_with_trailing_euler_and_without_guidance(tmp_path: Path) -> None:
    folder = save_stable_diffusion_xl(tmp_path / "tiny-xl-lightning")
    pipeline = TextToImage.load(spec(folder), folder, CPU)
    result = draw(pipeline)
    assert (result.steps, result.guidance_scale, result.sampler) == (4, 0, "")
    scheduler = pipeline._runner._samplers.scheduler(None)  # type: ignore[reportPrivateUsage]
    assert isinstance(scheduler, EulerDiscreteScheduler)
    assert scheduler.config["timestep_spacing"] == "trailing"


def test_the_operators_values_win_and_a_request_wins_over_them(tmp_path: Path) -> None:
    folder = save_stable_diffusion_xl(tmp_path / "tiny-xl-lightning")
    chosen = spec(folder, steps=3, sampler="DDIM", size=(48, 32), guidance_scale=2.0)
    pipeline = TextToImage.load(chosen, folder, CPU)
    result = draw(pipeline)
    assert (result.steps, result.sampler, result.width, result.height) == (3, "DDIM", 48, 32)
    assert result.guidance_scale == 2.0
    request = ImagineRequest(prompt="a cat", seed=5, steps=2, sampler="UniPC", width=16, height=16, guidance_scale=1.5)
    (asked,) = run(pipeline, request)
    assert isinstance(asked, ImageResult)
    assert (asked.steps, asked.sampler, asked.width, asked.guidance_scale) == (2, "UniPC", 16, 1.5)


def test_models_that_keep_other_defaults_do_not_share_a_copy_in_memory() -> None:
    keys = {spec("a/b", **options).key for options in ({}, {"steps": 4}, {"sampler": "DDIM"}, {"size": (64, 64)})}
    assert len(keys) == 4


def test_a_model_whose_files_name_no_steps_takes_those_of_its_pipelines_own_call() -> None:
    pipe = tiny_pipeline("Sana")
    runner = TextToImage(pipe, DiffusionRunner(pipe, defaults=ModelDefaults(size=(64, 64))))
    result = draw(runner)
    assert (result.steps, result.guidance_scale) == (20, 4.5)


def test_a_sampler_that_the_model_can_not_use_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    pipe = tiny_pipeline("FLUX")
    assert isinstance(pipe.scheduler, FlowMatchEulerDiscreteScheduler)
    pipe.save_pretrained(tmp_path)
    with pytest.raises(ModelUnavailable, match=r"can't be loaded with `sampler`\. This model has no choice of sampler"):
        TextToImage.load(spec(tmp_path, sampler="DDIM"), tmp_path, CPU)
