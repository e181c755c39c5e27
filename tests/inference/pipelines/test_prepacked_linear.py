"""Test linear layers with prepacked weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, T5Config, T5ForConditionalGeneration

from bench.tiny_models import tiny_model
from inference.pipelines.prepacked_linear import PrepackedLinear, prepack_linear_layers
from inference.pipelines.weights import weight_bytes
from tests.inference.pipelines.tiny_causal import ARCHITECTURES, save_causal

HAS_BFLOAT16 = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # pyright: ignore
DTYPES = [torch.float32, torch.bfloat16] if HAS_BFLOAT16 else [torch.float32]
"""The dtypes for which this CPU has kernels."""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_prepacked_layers_compute_the_same_values(architecture: str, dtype: torch.dtype, tmp_path: Path) -> None:
    folder = save_causal(tmp_path, architecture)
    plain: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    packed: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    prepack_linear_layers(packed)
    assert any(isinstance(layer, PrepackedLinear) for layer in packed.modules())
    assert not any(isinstance(layer, torch.nn.Linear) for layer in packed.modules())
    for length in (1, 5, 16):
        tokens = torch.arange(2, 2 + length)[None]
        with torch.inference_mode():
            torch.testing.assert_close(packed(tokens).logits, plain(tokens).logits)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("model_type", ["hunyuan_v1_moe", "jamba", "mamba"])
def test_a_model_that_reads_the_weights_of_its_layers_gets_them(model_type: str, dtype: torch.dtype) -> None:
    models: list[Any] = [tiny_model(model_type) for _ in range(2)]
    plain, packed = (model.to(dtype) for model in models)
    prepack_linear_layers(packed)
    assert any(isinstance(layer, PrepackedLinear) for layer in packed.modules())
    tokens = torch.arange(20, 32)[None]
    with torch.inference_mode():
        torch.testing.assert_close(packed(tokens).logits, plain(tokens).logits)


def test_the_memory_of_packed_weights_is_counted(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    plain: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tied = plain.config.tie_word_embeddings
    packed: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prepack_linear_layers(packed)
    copied = packed.lm_head.external_bytes if tied else 0
    assert weight_bytes(packed) == weight_bytes(plain) + copied


def test_layers_stay_as_they_are_in_dtypes_without_kernels(tmp_path: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(save_causal(tmp_path, "llama"), dtype=torch.float16)
    prepack_linear_layers(model)
    assert not any(isinstance(layer, PrepackedLinear) for layer in model.modules())


def test_layers_that_transformers_wants_in_float32_stay_as_they_are() -> None:
    config = T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    model = T5ForConditionalGeneration(config).eval()
    prepack_linear_layers(model)
    kinds = {name.rpartition(".")[2]: type(layer) for name, layer in model.named_modules()}
    assert (kinds["wi"], kinds["wo"]) == (PrepackedLinear, torch.nn.Linear)


def test_a_layer_whose_weights_were_read_keeps_them_in_the_usual_layout() -> None:
    torch.manual_seed(0)
    weight, bias, rows = torch.randn(24, 16), torch.randn(24), torch.randn(3, 16)
    layer = PrepackedLinear(weight, bias)
    packed = layer(rows)
    assert torch.equal(layer.weight, weight)
    assert layer.weight.data_ptr() == layer.weight.data_ptr(), "they are not copied again"
    assert weight_bytes(layer) == weight.nbytes + bias.nbytes
    torch.testing.assert_close(layer(rows), packed)


def test_a_layer_in_another_dtype_than_its_model_stays_as_it_is(tmp_path: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(save_causal(tmp_path, "llama"), dtype=DTYPES[-1])
    model.model.layers[0].mlp.up_proj.to(torch.float64)
    prepack_linear_layers(model)
    kinds = [type(layer.mlp.up_proj) for layer in model.model.layers[:2]]
    assert kinds == [torch.nn.Linear, PrepackedLinear]
