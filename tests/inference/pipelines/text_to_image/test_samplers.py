"""Test samplers: the same pixels as diffusers with each, and the default sampler of each model."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.samplers import Samplers
from inference.tasks import SAMPLERS, ImageResult, ImagineRequest, Sampler
from inference.types import Progress
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import (
    save_latent_consistency,
    save_stable_diffusion,
    save_stable_diffusion_xl,
    with_scheduler,
)

CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", seed=5)
INIT_IMAGE = encode_png(Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> TextToImage:
    return load_pipeline(folder)


def load_pipeline(folder: Path, max_batch_size: int = 1) -> TextToImage:
    return TextToImage(read_pipeline(folder, CPU), max_batch_size=max_batch_size, clock=lambda: 0.0)


def generate(text_to_image: TextToImage, request: ImagineRequest) -> ImageResult:
    (result,) = run(text_to_image, request)
    assert isinstance(result, ImageResult), result
    return result


def pixels(result: ImageResult) -> Any:
    return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def pixels_of_diffusers(diffusers_pipe: Any, **options: Any) -> Any:
    diffusers_pipe.set_progress_bar_config(disable=True)
    return np.asarray(diffusers_pipe("a cat", generator=torch.Generator().manual_seed(5), **options).images[0])


def test_pndm_gives_the_same_pixels_as_diffusers_with_its_default_of_50_steps(
    pipeline: TextToImage, folder: Path
) -> None:
    diffusers_pipe = StableDiffusionPipeline.from_pretrained(folder)
    result = generate(pipeline, replace(CAT, sampler="PNDM"))
    assert np.array_equal(pixels(result), pixels_of_diffusers(diffusers_pipe, num_inference_steps=50))
    assert (result.sampler, result.steps) == ("PNDM", 50)


@pytest.mark.parametrize(
    ("sampler", "kind", "options"),
    [
        ("DPM++ 2M Karras", DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
        ("Euler a", EulerAncestralDiscreteScheduler, {}),
        ("DDIM", DDIMScheduler, {"clip_sample": False}),
        ("UniPC", UniPCMultistepScheduler, {}),
    ],
)
def test_each_sampler_gives_the_same_pixels_as_diffusers(
    pipeline: TextToImage, folder: Path, sampler: Sampler, kind: Any, options: dict[str, Any]
) -> None:
    diffusers_pipe: Any = StableDiffusionPipeline.from_pretrained(folder)
    diffusers_pipe.scheduler = kind.from_config(diffusers_pipe.scheduler.config, **options)
    result = generate(pipeline, replace(CAT, sampler=sampler, steps=6))
    assert np.array_equal(pixels(result), pixels_of_diffusers(diffusers_pipe, num_inference_steps=6))
    assert (result.sampler, result.steps) == (sampler, 6)


def test_the_default_sampler_is_dpm_solver_with_25_steps(pipeline: TextToImage, tmp_path: Path) -> None:
    for text_to_image in (pipeline, load_pipeline(save_stable_diffusion_xl(tmp_path))):
        result = generate(text_to_image, CAT)
        assert (result.sampler, result.steps) == ("DPM++ 2M Karras", 25)


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "LCM"])
def test_every_sampler_gives_nearly_the_same_image_in_a_batch_and_reports_all_steps(
    pipeline: TextToImage, folder: Path, sampler: Sampler
) -> None:
    for request in (
        CAT,
        replace(CAT, image=INIT_IMAGE, strength=0.6),
        replace(CAT, image=INIT_IMAGE, region="left half"),
    ):
        request_with_sampler = replace(request, sampler=sampler, steps=5)
        batch = MemoryBatch.of(replace(request_with_sampler, seed=9), request_with_sampler)
        _, batched = batch.run(load_pipeline(folder, max_batch_size=2))
        assert isinstance(batched, ImageResult)
        assert np.abs(pixels(batched) - pixels(generate(pipeline, request_with_sampler))).max() <= 2
        steps = [event.step for event in batch.jobs[1].events if isinstance(event, Progress)]
        assert (steps[-1], sorted(steps)) == (5, steps)


def test_lcm_is_only_for_latent_consistency_models(pipeline: TextToImage, tmp_path: Path) -> None:
    (refused,) = run(pipeline, replace(CAT, sampler="LCM"))
    assert isinstance(refused, InvalidRequest)
    assert "can't use the sampler LCM. Choose one of DPM++ 2M Karras, " in refused.user_message
    diffusers_pipe = LatentConsistencyModelPipeline.from_pretrained(save_latent_consistency(tmp_path))
    lcm = load_pipeline(tmp_path)
    result = generate(lcm, CAT)
    assert (result.sampler, result.steps, result.guidance_scale) == ("LCM", 6, 8.5)
    assert np.array_equal(pixels(result), pixels_of_diffusers(diffusers_pipe, num_inference_steps=6))
    (refused,) = run(lcm, replace(CAT, sampler="Euler a"))
    assert isinstance(refused, InvalidRequest)
    assert "Choose one of LCM, or leave it out" in refused.user_message


def test_lcm_uses_at_most_its_original_number_of_steps(tmp_path: Path) -> None:
    lcm = load_pipeline(save_latent_consistency(tmp_path))
    assert generate(lcm, replace(CAT, steps=90)).steps == 50
    assert generate(lcm, replace(CAT, image=INIT_IMAGE, strength=0.06)).steps == 3


def test_a_distilled_model_uses_its_own_sampler(tmp_path: Path) -> None:
    turbo = load_pipeline(with_scheduler(save_stable_diffusion_xl(tmp_path), timestep_spacing="trailing"))
    result = generate(turbo, CAT)
    assert (result.sampler, result.steps, result.guidance_scale) == ("", 4, 1.0)


def test_a_zero_snr_model_uses_its_own_sampler_by_default(tmp_path: Path) -> None:
    changes = {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    result = generate(load_pipeline(with_scheduler(save_stable_diffusion_xl(tmp_path), **changes)), CAT)
    assert (result.sampler, result.steps, result.guidance_scale) == ("", 25, 7.5)


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name in ("Euler a", "DDIM", "UniPC")])
def test_a_zero_snr_model_works_with_other_samplers(tmp_path: Path, sampler: Sampler) -> None:
    changes = {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    folder = with_scheduler(save_stable_diffusion(tmp_path), **changes)
    assert generate(load_pipeline(folder), replace(CAT, sampler=sampler, steps=3)).sampler == sampler


@pytest.mark.parametrize("sampler", ["DPM++ 2M Karras", "PNDM"])
def test_samplers_that_do_not_support_zero_snr_are_refused_for_zero_snr_models(
    tmp_path: Path, sampler: Sampler
) -> None:
    folder = with_scheduler(save_stable_diffusion(tmp_path), rescale_betas_zero_snr=True)
    (refused,) = run(load_pipeline(folder), replace(CAT, sampler=sampler))
    assert isinstance(refused, InvalidRequest)
    assert "Choose one of Euler a, DDIM, UniPC, or" in str(refused)


class FlowMatching(SimpleNamespace):
    """A flow-matching pipeline, with a transformer in place of the U-Net."""

    def __call__(self, prompt: str, guidance_scale: float = 3.5) -> None: ...


def test_a_flow_matching_model_only_has_its_own_sampler() -> None:
    samplers = Samplers(FlowMatching(scheduler=FlowMatchEulerDiscreteScheduler()))
    assert samplers.resolve(None) is None
    assert (samplers.steps(None, 0, None), samplers.guidance_scale(None)) == (25, 3.5)
    assert isinstance(samplers.scheduler(None), FlowMatchEulerDiscreteScheduler)
    with pytest.raises(InvalidRequest, match=r"no choice of sampler\. Leave it out"):
        samplers.resolve("DDIM")
