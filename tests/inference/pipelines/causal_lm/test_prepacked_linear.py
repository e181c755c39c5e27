"""Test linear layers with prepacked weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from bench.tiny_models import tiny_model
from inference.pipelines.causal_lm.prepacked_linear import PrepackedLinear, prepack_linear_layers
from tests.inference.pipelines.tiny_causal import ARCHITECTURES, load, save_causal

SUPPORTED = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # pyright: ignore


@pytest.mark.skipif(not SUPPORTED, reason="this CPU has no kernels for bfloat16")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_prepacked_layers_compute_the_same_values(architecture: str, tmp_path: Path) -> None:
    folder = save_causal(tmp_path, architecture)
    plain: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    packed: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    assert prepack_linear_layers(packed) > 0
    assert not any(isinstance(layer, torch.nn.Linear) for layer in packed.modules())
    for length in (1, 5, 16):
        tokens = torch.arange(2, 2 + length)[None]
        with torch.inference_mode():
            torch.testing.assert_close(packed(tokens).logits, plain(tokens).logits)


@pytest.mark.skipif(not SUPPORTED, reason="this CPU has no kernels for bfloat16")
@pytest.mark.parametrize("model_type", ["hunyuan_v1_moe", "jamba", "mamba"])
def test_a_model_that_reads_the_weights_of_its_layers_gets_them(model_type: str) -> None:
    plain, packed = (tiny_model(model_type).bfloat16() for _ in range(2))
    assert prepack_linear_layers(packed) > 0
    tokens = torch.arange(20, 32)[None]
    with torch.inference_mode():
        torch.testing.assert_close(packed(tokens).logits, plain(tokens).logits)


@pytest.mark.skipif(not SUPPORTED, reason="this CPU has no kernels for bfloat16")
def test_a_row_does_not_depend_on_other_rows() -> None:
    torch.manual_seed(0)
    layer = PrepackedLinear(torch.randn(96, 64, dtype=torch.bfloat16), torch.randn(96, dtype=torch.bfloat16))
    rows = torch.randn(16, 64, dtype=torch.bfloat16)
    assert torch.equal(layer(rows)[:8], layer(rows[:8]))


def test_layers_in_other_dtypes_stay_unchanged_and_memory_is_counted(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert prepack_linear_layers(model) == 0
    assert any(isinstance(layer, torch.nn.Linear) for layer in model.modules())
    assert load(folder, torch.bfloat16).nbytes * 2 >= load(folder).nbytes
