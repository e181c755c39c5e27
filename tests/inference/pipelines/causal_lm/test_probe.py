"""Test the choice of the runner: a model whose attention is not computed exactly is never batched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.masking_utils import (
    bidirectional_mask_function,
    causal_mask_function,
    chunked_causal_mask_function,
    sliding_window_causal_mask_function,
)

from bench.tiny_models import tiny_model
from inference.pipelines.causal_lm.batched_runner import BatchedRunner, UnsupportedAttention, attend, visible_window
from inference.pipelines.causal_lm.generic_runner import GenericRunner
from inference.pipelines.causal_lm.probe import choose_runner
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.tiny_causal import load, save_causal

TOKENS = list(range(20, 60))


def kind_of(model: Any, tokens: list[int], max_num_seqs: int) -> str:
    """Return the runner that the probe chooses."""
    return choose_runner(model, tokens, max_num_seqs, "")[1].rpartition(": ")[0]


def attention_of_one_sequence(**declared: Any) -> torch.Tensor:
    query, key = torch.ones(1, 2, 1, 4), torch.ones(1, 2, 3, 4)
    return attend(torch.nn.Module(), query, [(slice(0, 1), key, key)], None, declared.pop("mask", None), **declared)[0]


def test_a_keyword_that_changes_attention_is_not_ignored() -> None:
    attention_of_one_sequence(dropout=0.0, position_ids=torch.zeros(1), head_mask=None)
    with pytest.raises(UnsupportedAttention, match="alibi"):
        attention_of_one_sequence(alibi=torch.ones(2))
    with pytest.raises(UnsupportedAttention, match="is_causal"):
        attention_of_one_sequence(is_causal=False)


def test_the_window_of_a_layer_must_be_that_of_its_mask() -> None:
    attention_of_one_sequence(mask=2, sliding_window=2)
    with pytest.raises(UnsupportedAttention, match="window"):
        attention_of_one_sequence(sliding_window=2)


def test_causal_masks_and_windows_are_recognized() -> None:
    assert visible_window(mask_function=causal_mask_function) is None
    assert visible_window(mask_function=sliding_window_causal_mask_function(8), local_size=8) == 8


@pytest.mark.parametrize(
    ("mask_function", "local_size"),
    [
        (bidirectional_mask_function, None),
        (chunked_causal_mask_function(8, torch.zeros(1, dtype=torch.int)), 8),
        (sliding_window_causal_mask_function(8), None),
        (sliding_window_causal_mask_function(8), 9),
    ],
)
def test_another_mask_is_refused(mask_function: Any, local_size: int | None) -> None:
    with pytest.raises(UnsupportedAttention):
        visible_window(mask_function=mask_function, local_size=local_size)


def test_a_model_that_differs_in_one_layer_is_not_batched() -> None:
    model: Any = tiny_model("llama")
    assert isinstance(choose_runner(model, TOKENS, 16, "")[0], BatchedRunner)
    layer = model.model.layers[1].self_attn
    forward = layer.forward
    layer.forward = lambda *args, **options: forward(*args, **{**options, "slopes": 5.0})
    runner, verdict = choose_runner(model, TOKENS, 16, "")
    assert isinstance(runner, GenericRunner)
    assert verdict.startswith("generic: ")


def test_a_model_without_the_sinks_that_it_declares_is_not_right() -> None:
    model: Any = tiny_model("gpt_oss")
    assert kind_of(model, TOKENS, 16) == "batched"
    model.model.layers[0].self_attn.sinks.data += 3
    assert kind_of(model, TOKENS, 16) == "batched", "sinks are computed, not ignored"


def test_rotary_positions_that_depend_on_the_longest_text_are_not_batched() -> None:
    model = tiny_model("phi3")
    assert kind_of(model, TOKENS, 16) == "batched"
    model.config.rope_parameters = {"rope_type": "longrope", "rope_theta": 10000.0}
    assert kind_of(model, TOKENS, 16) == "generic, prompts as a whole"


def test_an_earlier_verdict_is_followed_without_running_the_model() -> None:
    model = tiny_model("llama")
    model.forward = None  # type: ignore[assignment]
    for verdict, runner_class in (
        ("batched: 64 + 256 bytes a token", BatchedRunner),
        ("generic: 9 + 99 bytes a token", GenericRunner),
    ):
        runner, kept = choose_runner(model, TOKENS, 16, verdict)
        assert isinstance(runner, runner_class)
        assert kept == verdict


def test_a_verdict_that_is_not_known_any_more_is_found_again() -> None:
    _, found = choose_runner(tiny_model("llama"), TOKENS, 16, "")
    assert found.startswith("batched: 512 + ")
    for verdict in ("batched", "batched: ", "generic: 3 bytes a token"):
        assert choose_runner(tiny_model("llama"), TOKENS, 16, verdict)[1] == found


def test_numbers_that_are_not_finite_are_refused() -> None:
    model = tiny_model("llama")
    next(model.parameters()).data.fill_(torch.inf)
    with pytest.raises(ModelUnavailable):
        choose_runner(model, TOKENS, 16, "")


@pytest.mark.parametrize("model_type", ["falcon_mamba", "jamba", "mamba"])
def test_a_cache_that_can_not_go_on_with_several_tokens_is_read_as_a_whole(model_type: str) -> None:
    runner, verdict = choose_runner(tiny_model(model_type), TOKENS, 16, "")
    assert verdict.startswith("generic, prompts as a whole")
    whole, steps = runner.new_cache(40), runner.new_cache(40)
    runner.prefill([whole], [TOKENS[:20]])
    expected = [runner.decode([whole], [token])[0] for token in TOKENS[20:24]]
    runner.prefill([steps], [TOKENS[:20]])
    torch.testing.assert_close(runner.score(steps, TOKENS[20:24]), torch.stack(expected))


def test_settings_of_the_repository_for_generate_change_nothing() -> None:
    model: Any = tiny_model("bloom")
    expected = choose_runner(model, TOKENS, 16, "")[1]
    model.generation_config.num_return_sequences = 2
    model.generation_config.num_beams = 2
    model.generation_config.cache_implementation = "static"
    assert choose_runner(model, TOKENS, 16, "")[1] == expected
    assert model.generation_config.num_beams == 2, "others who use the model find its settings as they were"


@pytest.mark.parametrize("model_type", ["mixtral", "gpt_oss", "llama", "qwen3_next", "mamba", "jamba"])
def test_rounding_in_half_precision_is_no_reason_to_refuse_a_model(model_type: str) -> None:
    kind_of(tiny_model(model_type).bfloat16(), TOKENS, 16)


def test_the_verdict_of_a_loaded_model_is_in_the_pipeline(tmp_path: Path) -> None:
    assert load(save_causal(tmp_path / "llama", "llama")).verdict.startswith("batched: ")
    assert load(save_causal(tmp_path / "lfm2", "lfm2")).verdict.startswith("generic: ")
