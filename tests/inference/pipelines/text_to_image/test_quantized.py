"""Test diffusion models that are loaded with `quantize`."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import T5Config, T5EncoderModel

from inference.pipelines.diffusion_memory import is_in_block
from inference.pipelines.quantization import Float8Linear, QuantizedLinear
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.networks import quantize_network
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec, Quantize
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU
from tests.inference.pipelines.tiny_images import save_stable_diffusion

CAT = ImagineRequest(prompt="a cat", seed=5, steps=2, width=64, height=64)
FORMATS: tuple[Quantize, ...] = ("int8", "fp8", "int4")


def pixels(folder: Path, quantize: Quantize = "none") -> Any:
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), quantize=quantize)
    (result,) = run(TextToImage.load(spec, folder, CPU), CAT)
    assert isinstance(result, ImageResult), result
    return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(float)


def psnr(first: Any, second: Any) -> float:
    return float(20 * np.log10(255) - 10 * np.log10(((first - second) ** 2).mean()))


@pytest.mark.parametrize("family", ["FLUX", "Qwen-Image", "PixArt alpha", "Stable Diffusion 3"])
def test_a_quantized_transformer_draws_nearly_the_same(family: str, tmp_path: Path) -> None:
    tiny_pipeline(family).save_pretrained(tmp_path)
    expected = pixels(tmp_path)
    nearness = {quantize: psnr(pixels(tmp_path, quantize), expected) for quantize in FORMATS}
    assert nearness["int8"] > 40, nearness
    assert nearness["int8"] > nearness["fp8"] > nearness["int4"] > 15, nearness


def test_the_layers_of_the_blocks_are_quantized_and_the_others_are_not(tmp_path: Path) -> None:
    tiny_pipeline("FLUX").save_pretrained(tmp_path)
    transformer: Any = read_pipeline(tmp_path, CPU, quantize="int8").transformer
    for name, layer in transformer.named_modules():
        if isinstance(layer, torch.nn.Linear | QuantizedLinear):
            assert isinstance(layer, QuantizedLinear) == is_in_block(name), name
    assert type(transformer.x_embedder) is type(transformer.proj_out) is torch.nn.Linear


@pytest.mark.parametrize("quantize", FORMATS)
def test_reading_it_layer_by_layer_gives_what_quantizing_the_whole_network_gives(
    quantize: Quantize, tmp_path: Path
) -> None:
    save_stable_diffusion(tmp_path, checker=False)
    whole: Any = read_pipeline(tmp_path, CPU).unet
    quantize_network("unet", whole, quantize)
    streamed = read_pipeline(tmp_path, CPU, quantize=quantize).unet.state_dict()
    expected = whole.state_dict()
    assert streamed.keys() == expected.keys()
    assert all(torch.equal(streamed[name], expected[name]) for name in expected)
    kind = Float8Linear if quantize == "fp8" else QuantizedLinear
    assert any(isinstance(layer, kind) for layer in whole.modules())


def test_weights_in_several_files_are_quantized_too(tmp_path: Path) -> None:
    pipe = tiny_pipeline("FLUX")
    pipe.save_pretrained(tmp_path / "whole")
    pipe.save_pretrained(tmp_path / "shards", max_shard_size="100KB")
    assert len([*(tmp_path / "shards" / "transformer").glob("*.safetensors")]) > 1
    assert np.array_equal(pixels(tmp_path / "shards"), pixels(tmp_path / "whole"))
    assert np.array_equal(pixels(tmp_path / "shards", "int4"), pixels(tmp_path / "whole", "int4"))


def test_a_quantized_model_takes_no_lora_and_says_why(tmp_path: Path) -> None:
    save_stable_diffusion(tmp_path, checker=False)
    (tmp_path / "loras").mkdir()
    save_file({"unet.x": torch.ones(1)}, tmp_path / "loras" / "style.safetensors")
    spec = ModelSpec(name="tiny", task="imagine", repo=str(tmp_path), loras=str(tmp_path / "loras"), quantize="int8")
    (failed,) = run(TextToImage.load(spec, tmp_path, CPU), replace(CAT, lora="style"))
    assert isinstance(failed, InvalidRequest)
    assert failed.user_message.startswith("This model takes no LoRA, since its weights are quantized.")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("quantize", FORMATS)
def test_all_layers_of_a_t5_encoder_are_quantized(
    quantize: Quantize, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T5 asks for the dtype of the weights of one layer in each block, and converts its input to it."""
    monkeypatch.setattr("inference.pipelines.diffusion_memory._LARGE", 0)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=60, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu"
    )
    encoder: Any = T5EncoderModel(config)
    encoder = encoder.to(dtype).eval()
    tokens = torch.arange(5, 25)[None]
    with torch.inference_mode():
        expected = encoder(tokens).last_hidden_state.float()
        quantize_network("text_encoder_2", encoder, quantize)
        output = encoder(tokens).last_hidden_state.float()
    assert not [name for name, layer in encoder.named_modules() if type(layer) is torch.nn.Linear]
    assert float((output - expected).norm() / expected.norm()) < (0.2 if quantize == "int4" else 0.06)
