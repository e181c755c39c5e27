"""The pipeline of causal language models that transformers runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from transformers import AutoModelForCausalLM, PreTrainedModel

from inference.hub import gguf_in
from inference.pipelines.causal_lm.pipeline import CausalPipeline
from inference.pipelines.causal_lm.probe import choose_runner
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.gguf_weights import read_gguf_model
from inference.pipelines.prepacked_linear import prepack_linear_layers
from inference.pipelines.quantization import quantize_linear_layers
from inference.pipelines.weights import read_model, weight_bytes
from inference.types import ModelSpec

_WINDOW_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")
"""Settings that hold the largest number of tokens, in one config or another."""

_NO_WINDOW = 32768
"""Tokens for models without a largest position, such as recurrent ones."""

_PROBE_TEXT = "The river was high, so they waited for the boat and told each other what they had seen on the way."


class CausalLM(CausalPipeline):
    """A causal language model of transformers and its tokenizer."""

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer, spec: ModelSpec) -> None:
        quantize_linear_layers(model, spec.quantize)
        probe_tokens = tokenizer.encode_prompt(_PROBE_TEXT)
        runner, self.verdict = choose_runner(
            model, probe_tokens, self.max_num_seqs, spec.verdict, prepack_linear_layers
        )
        self.nbytes = weight_bytes(model)
        super().__init__(runner, tokenizer, _window(model, tokenizer), _eos_token_ids(model, tokenizer))

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        if file := gguf_in(spec, folder):
            model = read_gguf_model(spec, folder, placement)
        else:
            model = read_model(AutoModelForCausalLM, folder, placement)
        return cls(model, Tokenizer(folder, gguf_file=file), spec)


def _window(model: PreTrainedModel, tokenizer: Tokenizer) -> int:
    """Return the largest number of tokens that the model can process."""
    config = model.config.get_text_config(decoder=True)
    named = [value for name in _WINDOW_NAMES if isinstance(value := getattr(config, name, None), int) and value > 0]
    return min(named[0] if named else _NO_WINDOW, tokenizer.model_max_length)


def _eos_token_ids(model: PreTrainedModel, tokenizer: Tokenizer) -> set[int]:
    """Return the tokens that end a text, from the generation settings and the tokenizer."""
    configured: Any = model.generation_config.eos_token_id if model.generation_config else None
    listed: list[int | None] = configured if isinstance(configured, list) else [configured]
    return {token for token in (*listed, tokenizer.eos_token_id) if token is not None}
