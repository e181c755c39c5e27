"""Test that LoRA files change only the images of the requests that select them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from peft import LoraConfig, get_peft_model_state_dict
from PIL import Image
from safetensors.torch import load_file, save_file

from inference import infotext
from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", steps=3, seed=5)
CAT_WITH_LORA = replace(CAT, lora="ink 2.0")


def save_lora(diffusers_pipe: Any, folder: Path, name: str, seed: int = 1) -> None:
    """Save a LoRA with random weights for the attention layers of the U-Net and the text encoder."""
    torch.manual_seed(seed)
    config = LoraConfig(r=2, target_modules=["to_q", "to_v", "q_proj", "v_proj"], init_lora_weights=False)
    for network in (diffusers_pipe.unet, diffusers_pipe.text_encoder):
        network.add_adapter(config)
    diffusers_pipe.save_lora_weights(
        folder,
        weight_name=f"{name}.safetensors",
        unet_lora_layers=get_peft_model_state_dict(diffusers_pipe.unet),
        text_encoder_lora_layers=get_peft_model_state_dict(diffusers_pipe.text_encoder),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def loras(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loras")
    save_lora(StableDiffusionPipeline.from_pretrained(model), folder, "ink 2.0")
    save_lora(StableDiffusionPipeline.from_pretrained(model), folder, "oil", seed=2)
    other: Any = StableDiffusionXLPipeline.from_pretrained(save_stable_diffusion_xl(folder / "xl"))
    save_lora(other, folder, "for another model")
    (folder / "broken.safetensors").write_bytes(b"no weights")
    weights = load_file(folder / "ink 2.0.safetensors")
    save_file({f"transformer.{name}": tensor for name, tensor in weights.items()}, folder / "for no U-Net.safetensors")
    incompatible = {name: tensor[:, :1] if "text_encoder" in name else tensor for name, tensor in weights.items()}
    save_file({name: tensor.contiguous() for name, tensor in incompatible.items()}, folder / "half fitting.safetensors")
    return folder


def load_pipeline(model: Path, loras: Path, dtype: torch.dtype = torch.float32) -> TextToImage:
    spec = ModelSpec(name="tiny", task="imagine", repo="tiny", loras=str(loras))
    return TextToImage.load(spec, model, replace(CPU, dtype=dtype))


def pngs(pipeline: TextToImage, *requests: ImagineRequest) -> list[bytes]:
    results = run(pipeline, *requests)
    assert all(isinstance(result, ImageResult) for result in results), results
    return [result.pictures[0].png for result in results if isinstance(result, ImageResult)]


def pixels(png: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(png))).astype(int)


def test_lora_images_equal_those_of_diffusers_and_unloading_restores_the_model(model: Path, loras: Path) -> None:
    diffusers_pipe: Any = StableDiffusionPipeline.from_pretrained(model)
    diffusers_pipe.set_progress_bar_config(disable=True)
    diffusers_pipe.load_lora_weights(loras, weight_name="ink 2.0.safetensors")
    expected = diffusers_pipe("a cat", num_inference_steps=3, generator=torch.Generator().manual_seed(5)).images[0]
    pipeline = load_pipeline(model, loras)
    nbytes = pipeline.nbytes
    request = replace(CAT, sampler="PNDM")
    before, with_lora, after = pngs(pipeline, request, replace(request, lora="ink 2.0"), replace(request, lora=""))
    assert np.array_equal(pixels(with_lora), np.asarray(expected))
    assert np.abs(pixels(with_lora) - pixels(before)).max() > 4
    assert after == before
    assert pngs(pipeline, request) == [before]
    assert pipeline.nbytes == nbytes


def test_the_weight_scales_the_effect(model: Path, loras: Path) -> None:
    pipeline = load_pipeline(model, loras)
    plain, zero_weight, half_weight, full_weight, default_weight = pngs(
        pipeline, CAT, *(replace(CAT, lora=f"ink 2.0{weight}") for weight in (":0", ":0.5", ":1", ""))
    )
    assert np.array_equal(pixels(zero_weight), pixels(plain))
    assert np.array_equal(pixels(full_weight), pixels(default_weight))
    half_difference, full_difference = (
        np.abs(pixels(other) - pixels(plain)).mean() for other in (half_weight, full_weight)
    )
    assert 0 < half_difference < full_difference


def test_several_loras_equal_those_of_diffusers(model: Path, loras: Path) -> None:
    diffusers_pipe: Any = StableDiffusionPipeline.from_pretrained(model)
    diffusers_pipe.set_progress_bar_config(disable=True)
    for name in ("ink 2.0", "oil"):
        diffusers_pipe.load_lora_weights(loras, weight_name=f"{name}.safetensors", adapter_name=name.split()[0])
    diffusers_pipe.set_adapters(["ink", "oil"], [0.5, 1.0])
    expected = diffusers_pipe("a cat", num_inference_steps=3, generator=torch.Generator().manual_seed(5)).images[0]
    pipeline = load_pipeline(model, loras)
    request = replace(CAT, sampler="PNDM")
    before, both, after = pngs(pipeline, request, replace(request, lora="ink 2.0:0.5, oil"), request)
    assert np.array_equal(pixels(both), np.asarray(expected))
    assert after == before
    assert infotext.from_text(infotext.to_text(replace(request, lora="ink 2.0:0.5, oil"))).lora == "ink 2.0:0.5, oil"


def test_of_several_loras_the_one_that_does_not_fit_is_named(model: Path, loras: Path) -> None:
    pipeline = load_pipeline(model, loras)
    refused, plain = run(pipeline, replace(CAT, lora="ink 2.0, broken"), CAT)
    assert isinstance(refused, InvalidRequest)
    assert refused.user_message.startswith("The LoRA 'broken' does not fit this model.")
    assert isinstance(plain, ImageResult)
    assert [picture.png for picture in plain.pictures] == pngs(load_pipeline(model, loras), CAT)


def test_the_parameters_of_an_image_contain_its_lora_and_repeat_it(model: Path, loras: Path) -> None:
    pipeline = load_pipeline(model, loras)
    (png,) = pngs(pipeline, replace(CAT_WITH_LORA, lora="ink 2.0:0.7", count=1))
    repeated = infotext.read(png)
    assert repeated
    assert repeated.lora == "ink 2.0:0.7"
    assert pngs(pipeline, repeated) == [png]


@pytest.mark.parametrize("name", ["for another model", "broken", "for no U-Net", "half fitting"])
def test_a_lora_that_does_not_fit_is_refused_without_side_effects(model: Path, loras: Path, name: str) -> None:
    pipeline = load_pipeline(model, loras)
    refused, result, again = run(pipeline, replace(CAT, lora=name), CAT, CAT_WITH_LORA)
    assert isinstance(refused, InvalidRequest)
    assert "does not fit this model" in refused.user_message
    assert isinstance(result, ImageResult)
    assert [picture.png for picture in result.pictures] == pngs(load_pipeline(model, loras), CAT)
    assert isinstance(again, ImageResult)


def test_a_removed_lora_is_refused(model: Path, loras: Path, tmp_path: Path) -> None:
    shutil.copy(loras / "ink 2.0.safetensors", tmp_path)
    pipeline = load_pipeline(model, tmp_path)
    (tmp_path / "ink 2.0.safetensors").unlink()
    (refused,) = run(pipeline, CAT_WITH_LORA)
    assert isinstance(refused, InvalidRequest)
    assert "'ink 2.0' is not there any more" in refused.user_message


def test_loras_work_with_init_images(model: Path, loras: Path) -> None:
    pipeline = load_pipeline(model, loras)
    image_to_image = replace(CAT, image=encode_png(Image.new("RGB", (16, 16), "red")), strength=0.8)
    plain, with_lora, again = pngs(pipeline, image_to_image, replace(image_to_image, lora="ink 2.0"), image_to_image)
    assert plain == again != with_lora


def test_loras_work_in_bfloat16(model: Path, loras: Path) -> None:
    bfloat16, float32 = load_pipeline(model, loras, torch.bfloat16), load_pipeline(model, loras)
    (ours,), (expected,) = pngs(bfloat16, CAT_WITH_LORA), pngs(float32, CAT_WITH_LORA)
    assert np.abs(pixels(ours) - pixels(expected)).mean() < 6
