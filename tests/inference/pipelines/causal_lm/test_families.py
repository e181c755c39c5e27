"""Test that every family of language models writes transformers' own text, in the runner that fits it.

`python -m bench families` checks all types of transformers. These are the ones that people use, and odd ones.
"""

from __future__ import annotations

import pytest
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

from bench.families import check

BATCHED = [
    "bitnet", "cohere2", "ernie4_5_moe", "exaone4", "gemma", "gemma2", "gemma3_text", "glm4", "gpt_bigcode", "gpt_neox",
    "gpt_oss", "granite", "granite_swa", "mixtral", "nanochat", "olmo3", "phi3", "qwen2_moe", "qwen3", "qwen3_moe",
    "smollm3", "starcoder2",
]  # fmt: skip
GENERIC = [
    "bamba", "bloom", "deepseek_v3", "falcon", "falcon_h1", "gemma4_text", "gptj", "granitemoehybrid", "lfm2",
    "llama4_text", "mamba2", "minimax", "mpt", "nemotron_h", "qwen3_5_text", "qwen3_next", "rwkv", "zamba2",
]  # fmt: skip
WITH_PICTURES = ["gemma3", "llava", "mistral3", "qwen2_5_vl", "qwen3_5", "smolvlm"]


@pytest.mark.parametrize("model_type", BATCHED)
def test_a_family_with_usual_attention_is_batched_and_writes_the_text_of_transformers(model_type: str) -> None:
    row = check(model_type, AutoModelForCausalLM)
    assert (row.state, row.detail) == ("exact", "batched")


@pytest.mark.parametrize("model_type", GENERIC)
def test_a_family_with_a_cache_of_its_own_writes_the_text_of_transformers(model_type: str) -> None:
    row = check(model_type, AutoModelForCausalLM)
    assert (row.state, row.detail) == ("exact", "generic")


@pytest.mark.parametrize("model_type", WITH_PICTURES)
def test_a_model_that_also_reads_pictures_writes_the_text_of_transformers(model_type: str) -> None:
    assert check(model_type, AutoModelForImageTextToText).state == "exact"


@pytest.mark.parametrize("model_type", ["falcon_mamba", "jamba", "mamba"])
def test_a_family_whose_cache_needs_whole_prompts_writes_the_text_of_transformers(model_type: str) -> None:
    row = check(model_type, AutoModelForCausalLM)
    assert (row.state, row.detail) == ("exact", "generic, prompts as a whole")


def test_a_model_whose_cache_is_wrong_in_transformers_runs_without_it() -> None:
    row = check("recurrent_gemma", AutoModelForCausalLM)
    assert (row.state, row.detail) == ("exact", "generic, without a cache")


@pytest.mark.parametrize(
    ("model_type", "reason"), [("roberta", "gives wrong numbers"), ("reformer", "another text each time")]
)
def test_a_model_that_can_not_be_right_is_refused(model_type: str, reason: str) -> None:
    row = check(model_type, AutoModelForCausalLM)
    assert row.state == "refused"
    assert reason in row.detail
