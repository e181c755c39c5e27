"""Test generated images: the same pixels as diffusers, the settings that were used, and notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

from inference import infotext
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.generation_settings import in_aspect
from inference.tasks import ImageResult, ImagineRequest, Variation
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.text_to_image.tiny_pipeline import CAT, CPU, DOG, SPEC, generate, open_png, pngs
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl


def test_pixels_equal_those_of_diffusers(pipeline: TextToImage, folder: Path) -> None:
    diffusers_pipe = StableDiffusionPipeline.from_pretrained(folder)
    diffusers_pipe.set_progress_bar_config(disable=True)
    for request in (
        CAT,
        DOG,
        replace(CAT, guidance_scale=1.0),
        replace(CAT, width=24, height=8, guidance_scale=3.0, steps=1),
    ):
        expected: Any = diffusers_pipe(
            request.prompt,
            negative_prompt=request.negative_prompt or None,
            num_inference_steps=request.steps,
            guidance_scale=7.5 if request.guidance_scale is None else request.guidance_scale,
            width=request.width or None,
            height=request.height or None,
            generator=torch.Generator().manual_seed(request.seed or 0),
        )
        assert np.array_equal(np.asarray(open_png(*pngs(*generate(pipeline, request)))), np.asarray(expected.images[0]))


def test_stable_diffusion_xl_gives_the_same_pixels_as_diffusers(tmp_path: Path) -> None:
    diffusers_pipe: Any = StableDiffusionXLPipeline.from_pretrained(save_stable_diffusion_xl(tmp_path))
    diffusers_pipe.scheduler = PNDMScheduler.from_config(diffusers_pipe.scheduler.config, skip_prk_steps=True)
    diffusers_pipe.set_progress_bar_config(disable=True)
    pipeline = TextToImage.load(SPEC, tmp_path, CPU)
    for request in (CAT, DOG):
        expected: Any = diffusers_pipe(
            request.prompt,
            negative_prompt=request.negative_prompt or None,
            num_inference_steps=3,
            guidance_scale=7.5,
            generator=torch.Generator().manual_seed(request.seed or 0),
        )
        assert np.array_equal(np.asarray(open_png(*pngs(*generate(pipeline, request)))), np.asarray(expected.images[0]))


def test_the_result_has_the_settings_that_were_used(pipeline: TextToImage) -> None:
    plain, given = (
        generate(pipeline, ImagineRequest(prompt="a cat"))[0],
        generate(pipeline, replace(CAT, width=8, guidance_scale=2))[0],
    )
    assert (plain.width, plain.height, plain.steps, plain.guidance_scale, plain.note) == (16, 16, 25, 7.5, "")
    assert open_png(plain.pictures[0].png).size == (16, 16)
    assert (given.width, given.height, given.steps, given.guidance_scale) == (8, 16, 3, 2)
    assert open_png(given.pictures[0].png).size == (8, 16)


def test_the_parameters_in_a_file_repeat_its_image_exactly(pipeline: TextToImage) -> None:
    with_variations = replace(CAT, prompt="a cat,\nasleep: (so)", variations=(Variation(3, 0.4), Variation(8, 0.2)))
    for request in (replace(CAT, model="tiny", count=3), ImagineRequest(prompt="a cow"), with_variations, DOG):
        for png in pngs(*generate(pipeline, request)):
            repeated = infotext.read(png)
            assert repeated
            assert pngs(*generate(pipeline, repeated)) == [png]


@pytest.mark.parametrize(
    ("size", "aspect", "shaped"),
    [
        ((512, 512), (0, 0), (512, 512)),
        ((512, 512), (1, 1), (512, 512)),
        ((512, 512), (16, 9), (704, 384)),
        ((1024, 1024), (2, 3), (832, 1280)),
        ((768, 512), (1, 1), (640, 640)),
        ((64, 64), (4, 1), (128, 32)),
    ],
)
def test_an_aspect_ratio_keeps_about_the_number_of_pixels(
    size: tuple[int, int], aspect: tuple[int, int], shaped: tuple[int, int]
) -> None:
    assert in_aspect(size, aspect) == shaped


def test_a_picture_is_drawn_in_the_shape_that_was_asked_for(pipeline: TextToImage) -> None:
    (result,) = run(pipeline, ImagineRequest(prompt="a cat", steps=1, aspect=(2, 1), seed=1))
    assert isinstance(result, ImageResult)
    assert (result.width, result.height) == (24, 8)


def test_the_syntax_of_other_programs_that_is_not_known_is_named(pipeline: TextToImage) -> None:
    (result,) = run(pipeline, ImagineRequest(prompt="a __pet__ cat --v 6", steps=1, seed=1))
    assert isinstance(result, ImageResult)
    assert "Read as plain words, since I don't know this from other programs: __pet__, --v 6." in str(result.note)


def test_a_missing_safety_checker_is_noted_unless_a_classifier_checks_the_pictures(tmp_path: Path) -> None:
    pipeline = TextToImage.load(SPEC, save_stable_diffusion(tmp_path, checker=False), CPU)
    (result,) = generate(pipeline, CAT)
    assert result.pictures[0].png
    assert "no safety checker" in result.note
    (checked,) = generate(pipeline, replace(CAT, has_classifier=True))
    assert "no safety checker" not in checked.note


def test_a_negative_prompt_without_guidance_is_noted_as_without_effect(pipeline: TextToImage) -> None:
    assert "negative prompt has no effect" in generate(pipeline, replace(DOG, guidance_scale=1))[0].note


def test_options_for_token_sampling_are_noted_as_without_effect(pipeline: TextToImage) -> None:
    for request in (replace(CAT, temperature=0.5), replace(CAT, top_k=50)):
        assert "temperature and top-k have no effect" in generate(pipeline, request)[0].note
