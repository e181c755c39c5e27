"""Checkpoints in 8-bit floating-point numbers, held against the same numbers in float32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.devices import Placement
from inference.pipelines.number_formats import memory_growth
from inference.pipelines.weights import read_model
from inference.tasks import CompleteRequest, Completion
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_causal import save_causal

CPU = Placement(torch.device("cpu"), torch.float32)
BLOCK = 24
"""Not a divisor of the sizes of the weights."""
FP8 = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [BLOCK, BLOCK]}


def compressed(strategy: str) -> dict[str, Any]:
    weights = {"num_bits": 8, "type": "float", "strategy": strategy, "symmetric": True, "dynamic": False}
    group = {"targets": ["Linear"], "weights": weights}
    return {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": group}}


def scale_of(weight: torch.Tensor, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the scale as it is stored, and as it is multiplied."""
    if kind == "tensor":
        scale = (weight.abs().max() / 448)[None]
        return scale, scale
    if kind == "channel":
        scale = weight.abs().amax(1, keepdim=True) / 448
        return scale, scale
    rows, columns = (-(-size // BLOCK) for size in weight.shape)
    scale = torch.rand(rows, columns) / 100 + 0.01
    spread = scale.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)
    return scale, spread[: weight.shape[0], : weight.shape[1]]


def save_float8(folder: Path, quantization: dict[str, Any], kind: str) -> dict[str, torch.Tensor]:
    """Save a model in this format. Return its numbers in float32."""
    torch.manual_seed(0)
    stored: dict[str, torch.Tensor] = {}
    expected: dict[str, torch.Tensor] = {}
    for name, weight in load_file(save_causal(folder, "llama") / "model.safetensors").items():
        stored[name] = expected[name] = weight
        if "proj" in name:
            scale, multiplied = scale_of(weight, kind)
            stored[name] = (weight / multiplied).clamp(-448, 448).to(torch.float8_e4m3fn)
            stored[name + ("_scale_inv" if kind == "block" else "_scale")] = scale
            stored[name.replace(".weight", ".input_scale")] = torch.ones(1)
            expected[name] = stored[name].float() * multiplied
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "quantization_config": quantization}))
    return expected


FORMATS = [(FP8, "block"), (compressed("channel"), "channel"), (compressed("tensor"), "tensor")]


@pytest.mark.parametrize(("quantization", "kind"), FORMATS)
def test_the_numbers_are_multiplied_by_their_scales(tmp_path: Path, quantization: dict[str, Any], kind: str) -> None:
    expected = save_float8(tmp_path, quantization, kind)
    state = read_model(AutoModelForCausalLM, tmp_path, CPU).state_dict()
    for name, tensor in expected.items():
        torch.testing.assert_close(state[name], tensor, rtol=0, atol=0)


def test_bfloat16_rounds_only_the_product(tmp_path: Path) -> None:
    expected = save_float8(tmp_path, FP8, "block")
    placement = Placement(torch.device("cpu"), torch.bfloat16)
    state = read_model(AutoModelForCausalLM, tmp_path, placement).state_dict()
    assert all(torch.equal(state[name], tensor.bfloat16()) for name, tensor in expected.items())


@pytest.mark.parametrize(("quantization", "kind"), FORMATS)
def test_a_model_writes_with_them(tmp_path: Path, quantization: dict[str, Any], kind: str) -> None:
    save_float8(tmp_path, quantization, kind)
    spec = ModelSpec(name="tiny", task="complete", repo=str(tmp_path))
    family = compatible_family(spec, tmp_path)
    assert memory_growth(spec, tmp_path, 2) == 2
    pipeline = family.load_class().load(spec, tmp_path, CPU)
    assert isinstance(pipeline, CausalLM)
    (completion,) = run(pipeline, CompleteRequest(prompt="the quick", max_new_tokens=5, temperature=0, seed=0))
    assert isinstance(completion, Completion)


def test_experts_in_four_bits_are_refused(tmp_path: Path) -> None:
    save_float8(tmp_path, {**FP8, "expert_dtype": "fp4"}, "block")
    with pytest.raises(ModelUnavailable, match=r"the number format fp8 \(fp4\)"):
        compatible_family(ModelSpec(name="tiny", task="complete", repo=str(tmp_path)), tmp_path)
