"""Test the fast mode: calls of the network, plain reference loops, and its refusal."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from diffusers.callbacks import SDCFGCutoffCallback
from PIL import Image

from inference import infotext
from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.fast_unet import supports_fast_mode
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.tasks import FastMode, GeneratedImage, ImageResult, ImagineRequest
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_images import (
    save_latent_consistency,
    save_stable_diffusion,
    save_stable_diffusion_xl,
)

SPEC = ModelSpec(name="tiny", task="imagine", repo="tiny")
CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", negative_prompt="a dog", sampler="DDIM", steps=6, seed=5)
HALF = FastMode(guidance_end=0.5, cache_interval=1)
EVERY_SECOND = FastMode(guidance_end=1, cache_interval=2)
BOTH = FastMode(guidance_end=0.5, cache_interval=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return read_pipeline(folder, CPU)


@pytest.fixture(scope="module")
def pipeline(pipe: Any) -> TextToImage:
    return TextToImage(pipe)


def draw(pipeline: TextToImage, request: ImagineRequest) -> ImageResult:
    (outcome,) = run(pipeline, request)
    assert isinstance(outcome, ImageResult), outcome
    return outcome


def pixels(result: ImageResult) -> Any:
    return pixels_of(result.pictures[0])


def pixels_of(picture: GeneratedImage) -> Any:
    return np.asarray(Image.open(BytesIO(picture.png)))


def batch_sizes(pipeline: TextToImage, layer: torch.nn.Module, request: ImagineRequest) -> list[int]:
    """Return the number of rows in each call of a layer while the request is drawn."""
    sizes: list[int] = []
    hook = layer.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    draw(pipeline, request)
    hook.remove()
    return sizes


def test_steps_without_guidance_run_the_network_once_in_place_of_twice(pipeline: TextToImage, pipe: Any) -> None:
    assert batch_sizes(pipeline, pipe.unet.conv_in, CAT) == [2] * 6
    assert batch_sizes(pipeline, pipe.unet.conv_in, replace(CAT, fast=HALF)) == [2, 2, 2, 1, 1, 1]


def test_the_deep_layers_run_in_every_second_step(pipeline: TextToImage, pipe: Any) -> None:
    fast = replace(CAT, fast=EVERY_SECOND)
    assert batch_sizes(pipeline, pipe.unet.conv_in, fast) == [2] * 6
    assert batch_sizes(pipeline, pipe.unet.mid_block.resnets[0], fast) == [2] * 3
    assert batch_sizes(pipeline, pipe.unet.mid_block.resnets[0], replace(CAT, fast=BOTH)) == [2, 2, 1]


def test_pixels_equal_those_of_diffusers_own_end_of_guidance(pipeline: TextToImage, folder: Path) -> None:
    reference = StableDiffusionPipeline.from_pretrained(folder)
    runner: Any = pipeline._runner  # pyright: ignore[reportPrivateUsage]
    reference.scheduler = runner._samplers.scheduler("DDIM")
    expected: Any = reference(
        CAT.prompt,
        negative_prompt=CAT.negative_prompt,
        num_inference_steps=6,
        generator=torch.Generator().manual_seed(5),
        callback_on_step_end=SDCFGCutoffCallback(cutoff_step_ratio=0.34),  # after the third step
        callback_on_step_end_tensor_inputs=["prompt_embeds"],
    )
    assert np.array_equal(pixels(draw(pipeline, replace(CAT, fast=HALF))), np.asarray(expected.images[0]))


def test_pixels_equal_those_of_whole_passes_with_the_earlier_deep_features(pipeline: TextToImage, pipe: Any) -> None:
    channels = pipe.unet.conv_in.out_channels
    kept: list[torch.Tensor] = []

    def replace_deep_features(_: Any, args: tuple[torch.Tensor, torch.Tensor]) -> Any:
        deep, first = args[0][:, :-channels], args[0][:, -channels:]
        kept.append(kept[-1] if len(kept) % 2 else deep)
        return torch.cat([kept[-1], first], dim=1), args[1]

    fast = pixels(draw(pipeline, replace(CAT, fast=EVERY_SECOND)))
    hook = pipe.unet.up_blocks[-1].resnets[-1].register_forward_pre_hook(replace_deep_features)
    whole = pixels(draw(pipeline, CAT))
    hook.remove()
    assert np.array_equal(fast, whole)
    assert not np.array_equal(fast, pixels(draw(pipeline, CAT)))


def test_a_picture_without_it_is_the_same_before_and_after_a_fast_one(pipeline: TextToImage, folder: Path) -> None:
    expected = draw(TextToImage(read_pipeline(folder, CPU)), CAT)
    draw(pipeline, replace(CAT, fast=BOTH))
    assert draw(pipeline, CAT) == expected
    assert draw(pipeline, replace(CAT, fast=FastMode(1, 1))).pictures[0].png != b""
    assert np.array_equal(pixels(draw(pipeline, replace(CAT, fast=FastMode(1, 1)))), pixels(expected))


def test_a_fast_picture_can_start_from_a_picture(pipeline: TextToImage, pipe: Any) -> None:
    picture = encode_png(Image.new("RGB", (16, 16), "red"))
    request = replace(CAT, image=picture, strength=0.5, fast=HALF)
    for each in (request, replace(request, region="left half")):
        assert batch_sizes(pipeline, pipe.unet.conv_in, each) == [2, 2, 1]


def test_the_models_of_stable_diffusion_xl_can_be_fast(tmp_path: Path) -> None:
    pipe = read_pipeline(save_stable_diffusion_xl(tmp_path), CPU)
    assert isinstance(pipe, StableDiffusionXLPipeline)
    assert batch_sizes(TextToImage(pipe), pipe.unet.mid_block.resnets[0], replace(CAT, fast=BOTH)) == [2, 2, 1]
    whole, neutral = (draw(TextToImage(pipe), replace(CAT, fast=fast)) for fast in (None, FastMode(1, 1)))
    assert np.array_equal(pixels(whole), pixels(neutral))


def test_pictures_drawn_together_are_nearly_those_drawn_one_by_one(pipe: Any) -> None:
    request = replace(CAT, fast=BOTH, count=2)
    together, one_by_one = TextToImage(pipe, max_batch_size=2), TextToImage(pipe, max_batch_size=1)
    assert batch_sizes(together, pipe.unet.conv_in, request) == [4, 4, 4, 2, 2, 2]
    pictures = zip(draw(together, request).pictures, draw(one_by_one, request).pictures, strict=True)
    for ours, alone in pictures:
        difference = pixels_of(ours).astype(int) - pixels_of(alone).astype(int)
        assert np.abs(difference).max() <= 2


def test_what_the_request_leaves_open_is_what_the_operator_has_set(folder: Path) -> None:
    spec = replace(SPEC, fast_guidance_end=0.8, fast_cache_interval=3)
    assert spec.key != SPEC.key
    assert draw(TextToImage.load(spec, folder, CPU), replace(CAT, fast=FastMode())).fast == FastMode(0.8, 3)
    assert draw(TextToImage.load(SPEC, folder, CPU), replace(CAT, fast=FastMode())).fast == EVERY_SECOND
    assert draw(TextToImage.load(SPEC, folder, CPU), CAT).fast is None


def test_the_parameters_in_the_file_of_a_fast_picture_repeat_it(folder: Path, pipeline: TextToImage) -> None:
    other = TextToImage.load(replace(SPEC, fast_guidance_end=0.8, fast_cache_interval=3), folder, CPU)
    png = draw(pipeline, replace(CAT, fast=FastMode())).pictures[0].png
    repeated = infotext.read(png)
    assert repeated
    assert repeated.fast == EVERY_SECOND
    assert draw(other, repeated).pictures[0].png == png, "whatever the operator has set since"


def test_a_model_that_draws_in_a_few_steps_refuses(tmp_path: Path) -> None:
    pipeline = TextToImage.load(SPEC, save_latent_consistency(tmp_path), CPU)
    (error,) = run(pipeline, ImagineRequest(prompt="a cat", steps=2, seed=1, fast=FastMode()))
    assert isinstance(error, InvalidRequest)
    assert str(error).startswith("This model draws in a few steps already")


def test_a_network_with_other_layers_refuses(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    pipe.unet.time_embed_act = torch.nn.SiLU()
    assert not supports_fast_mode(pipe)
    (error,) = run(TextToImage(pipe), replace(CAT, fast=FastMode()))
    assert isinstance(error, InvalidRequest)
    assert str(error) == "This model has no fast mode. Leave `fast` out, or choose another model."
