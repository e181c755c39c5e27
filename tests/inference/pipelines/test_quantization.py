"""Linear layers in 8 and 4 bits, and models that are loaded with `quantize`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, T5Config, T5ForConditionalGeneration
from transformers.pytorch_utils import Conv1D

from inference.backends.model_check import expected_bytes
from inference.pipelines import quantization
from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.devices import Placement
from inference.pipelines.quantization import Bits, QuantizedLinear, quantize_linear_layers
from inference.pipelines.weights import weight_bytes
from inference.tasks import CompleteRequest
from inference.types import ModelSpec, Quantize
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_causal import save_causal
from tests.inference.pipelines.tiny_text import bert_masked_lm

PROMPTS = ("the quick brown", "once upon a time there was", "she said")
CPU = torch.device("cpu")


def spec_of(folder: Path, quantize: Quantize) -> ModelSpec:
    return ModelSpec(name="tiny", task="complete", repo=str(folder), device="cpu", quantize=quantize)


def load(folder: Path, quantize: Quantize, dtype: torch.dtype = torch.float32) -> CausalLM:
    return CausalLM.load(spec_of(folder, quantize), folder, Placement(CPU, dtype))


def sampled(prompt: str, seed: int) -> CompleteRequest:
    return CompleteRequest(prompt=prompt, max_new_tokens=24, temperature=1.0, top_p=0.9, seed=seed)


@pytest.fixture(params=[True, False], ids=["integers", "ordinary numbers"])
def integer_products(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantization, "_has_integer_products", lambda: request.param)


# --- a layer -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("integer_products")
@pytest.mark.parametrize(("bits", "most"), [(8, 0.01), (4, 0.11)])
@pytest.mark.parametrize("shape", [(64, 32), (96, 40), (7, 5)])
def test_the_output_is_near_that_of_the_original(bits: Bits, most: float, shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    original = torch.nn.Linear(shape[1], shape[0])
    layer = QuantizedLinear(original.weight.detach(), original.bias, bits)
    inputs = torch.randn(3, 4, shape[1])
    inputs[..., 0] *= 100  # language models have such inputs
    expected = original(inputs).detach()
    assert layer(inputs).shape == expected.shape
    assert float((layer(inputs) - expected).norm() / expected.norm()) < most


@pytest.mark.parametrize("bits", [8, 4])
def test_weights_that_fit_the_format_are_kept_exactly(bits: Bits) -> None:
    codes = torch.randint(-7, 8, (64, 32), generator=torch.Generator().manual_seed(0)).float()
    codes[:, 0] = 127  # the largest of each channel
    codes[::32, 1:], codes[1::32, 1:] = -7, 8
    layer = QuantizedLinear(codes, None, bits)
    assert torch.equal(layer.integers().float() * layer.scales[:, None], codes)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_row_does_not_depend_on_the_number_of_rows(bits: Bits) -> None:
    torch.manual_seed(0)
    layer = QuantizedLinear(torch.randn(96, 64), None, bits)
    rows = torch.randn(40, 64)
    together = layer(rows)
    for count in (1, 3, 8, 17):
        assert torch.equal(layer(rows[:count]), together[:count])
    many = rows.repeat(20, 1)  # which become integers in blocks
    assert torch.equal(layer(many[None]), together.repeat(20, 1)[None])


@pytest.mark.parametrize("bits", [8, 4])
def test_a_channel_does_not_depend_on_the_number_of_channels(bits: Bits) -> None:
    torch.manual_seed(0)
    weight = torch.randn(1088, 24)  # which are converted in blocks
    whole = QuantizedLinear(weight, None, bits).integers()
    for start in (0, 512, 1024):
        part = QuantizedLinear(weight[start : start + 64], None, bits)
        assert torch.equal(part.integers(), whole[start : start + 64])


def test_zeros_stay_zeros() -> None:
    layer = QuantizedLinear(torch.zeros(64, 32), None, 4)
    assert torch.equal(layer(torch.ones(1, 32)), torch.zeros(1, 64))
    assert torch.equal(QuantizedLinear(torch.ones(64, 32), None, 8)(torch.zeros(1, 32)), torch.zeros(1, 64))


@pytest.mark.parametrize(("bits", "expected"), [(8, 8.02), (4, 4.52)])
def test_the_bits_of_a_weight(bits: Bits, expected: float) -> None:
    layer = QuantizedLinear(torch.ones(512, 2048), None, bits)
    assert weight_bytes(layer) * 8 / (512 * 2048) == pytest.approx(expected, abs=0.01)


# --- a model -----------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["gpt2", "opt", "llama", "lfm2"])
def test_the_linear_layers_are_replaced_and_the_last_one_is_not(architecture: str, tmp_path: Path) -> None:
    folder = save_causal(tmp_path, architecture)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.arange(2, 30)[None]
    with torch.inference_mode():
        expected = model(ids).logits
        quantize_linear_layers(model, "int8")
        difference = float((model(ids).logits - expected).norm() / expected.norm())
    left = [layer for layer in model.modules() if type(layer) in (torch.nn.Linear, Conv1D)]
    assert left == [model.get_output_embeddings()]
    assert 0 < difference < 0.1


@pytest.mark.parametrize("quantize", ["int8", "fp8", "int4"])
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_text_is_the_same_alone_and_in_a_batch(
    architecture: str, dtype: torch.dtype, quantize: Quantize, tmp_path: Path
) -> None:
    pipeline = load(save_causal(tmp_path, architecture), quantize, dtype)
    requests = [sampled(prompt, seed) for seed, prompt in enumerate(PROMPTS * 3)]
    alone = [run(pipeline, request)[0] for request in requests]
    assert run(pipeline, *requests) == alone


def test_a_quantized_model_is_smaller_and_the_forecast_of_its_size_holds(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    nbytes = (folder / "model.safetensors").stat().st_size
    sizes: dict[Quantize, int] = {}
    for quantize in ("none", "int8", "fp8", "int4"):
        sizes[quantize] = load(folder, quantize).nbytes
        forecast = expected_bytes(spec_of(folder, quantize), folder, nbytes, torch.float32.itemsize)
        assert forecast == pytest.approx(sizes[quantize], rel=0.25)
    assert sizes["int8"] < sizes["none"]
    assert sizes["int4"] < sizes["none"]


def test_specs_with_another_quantization_share_no_model(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "int8")
    assert spec.key != replace(spec, quantize="none").key


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = bert_masked_lm(tmp_path)
    with pytest.raises(ModelUnavailable, match="only models that write texts and diffusion models can"):
        compatible_family(replace(spec_of(folder, "int8"), task="fill"), folder)


def test_a_model_that_is_quantized_already_is_refused(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace("{", '{"quantization_config": {"quant_method": "mxfp4"},', 1))
    with pytest.raises(ModelUnavailable, match="in the number format mxfp4 already"):
        compatible_family(spec_of(folder, "int4"), folder)


def test_the_forecast_counts_the_copy_of_a_tied_head_on_a_cpu(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "gpt2")
    config = json.loads((folder / "config.json").read_text())
    nbytes = (folder / "model.safetensors").stat().st_size
    copy = config["n_embd"] * config["vocab_size"] * 4
    spec = spec_of(folder, "none")
    forecasts = [expected_bytes(spec, folder, nbytes, 4, device) for device in ("cpu", "cuda")]
    assert forecasts[0] - forecasts[1] == copy
    assert load(folder, "none").nbytes == pytest.approx(forecasts[0], rel=0.1)


def test_a_model_that_asks_for_the_dtype_of_a_layer_keeps_that_layer() -> None:
    config = T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=2)
    model: Any = T5ForConditionalGeneration(config).eval()
    model.generation_config.decoder_start_token_id = 0
    quantize_linear_layers(model, "int8")
    tokens = torch.arange(5, 15)[None]
    assert model.generate(tokens, min_new_tokens=4, max_new_tokens=4).shape == (1, 5)
