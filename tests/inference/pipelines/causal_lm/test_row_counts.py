"""Numbers of rows with which layers compute equal rows, and prompts that are read together."""

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from inference.pipelines.causal_lm.batched_runner import BatchedRunner
from inference.pipelines.causal_lm.row_counts import equal_row_counts
from inference.pipelines.prepacked_linear import PrepackedLinear, prepack_linear_layers

PROMPTS = [[*range(5, 5 + length)] for length in (3, 17, 1, 40)]


def packed_model(dtype: torch.dtype = torch.float32) -> Any:
    config = LlamaConfig(
        vocab_size=90, hidden_size=48, intermediate_size=160, num_hidden_layers=2, num_attention_heads=2
    )
    torch.manual_seed(0)
    model: Any = LlamaForCausalLM(config)
    model.to(dtype).eval()
    prepack_linear_layers(model)
    return model


class DependentRows(PrepackedLinear):
    """A layer whose kernels give other rows for other numbers of rows than `AGREEING`."""

    AGREEING = (4, 16, 32)

    def _product(self, input: torch.Tensor) -> torch.Tensor:
        output = super()._product(input)
        return output if len(input) in self.AGREEING else output + len(input)


def test_only_numbers_of_rows_with_which_every_layer_agrees_are_used() -> None:
    model = packed_model()
    before = equal_row_counts(model, 16)
    model.model.layers[1].mlp.up_proj = DependentRows(torch.randn(160, 48), None)
    assert [count for count in equal_row_counts(model, 16) if count <= 16] == [
        count for count in before if count in (4, 16)
    ]


def test_a_layer_whose_kernels_for_many_rows_differ_computes_them_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = packed_model()
    layer = model.model.layers[1].mlp.up_proj = DependentRows(torch.randn(160, 48), None)
    assert equal_row_counts(model, 16)[-1] == 16, "24 rows are the next number that is tried"
    monkeypatch.setattr(DependentRows, "AGREEING", (4, 8, 16, 24, 32))
    rows = torch.randn(128, 48)
    assert equal_row_counts(model, 16)[-1] == 128
    assert torch.equal(layer(rows)[100:116], layer(rows[100:116]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_row_is_the_same_with_every_number_of_rows_that_is_used(dtype: torch.dtype) -> None:
    model = packed_model(dtype)
    layer = model.model.layers[0].mlp.gate_proj
    rows = torch.randn(128, 48, generator=torch.Generator().manual_seed(1)).to(dtype)
    expected = layer(rows[:16])
    for count in equal_row_counts(model, 16):
        shared = min(count, 16)
        assert torch.equal(layer(rows[:count])[:shared], expected[:shared])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_prompts_that_are_read_together_get_the_numbers_that_each_gets_alone(dtype: torch.dtype) -> None:
    runner = BatchedRunner(packed_model(dtype), 16)
    prompts = [prompt for prompt in PROMPTS if len(prompt) <= runner.max_joint_tokens // 3]
    alone_caches, together_caches = ([runner.new_cache(60) for _ in prompts] for _ in range(2))
    alone = [runner.prefill([cache], [prompt]) for cache, prompt in zip(alone_caches, prompts, strict=True)]
    together = runner.prefill(together_caches, prompts)
    assert len(prompts) > 1
    assert torch.equal(together, torch.cat(alone))
    tokens = [7] * len(prompts)
    steps = [runner.decode([cache], [7]) for cache in alone_caches]
    assert torch.equal(runner.decode(together_caches, tokens), torch.cat(steps))
