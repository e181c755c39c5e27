"""Causal language models (GPT-2, OPT, Llama and similar): models that continue a prompt.

They complete texts. With a suitable prompt they also answer, summarize, fill blanks and rate sentiment.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from transformers import AutoModelForCausalLM, PreTrainedModel

from inference.hub import gguf_in
from inference.pipelines.causal_lm.generation import Generation
from inference.pipelines.causal_lm.probe import choose_runner
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.scoring import Scorer
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.gguf_weights import read_gguf_model
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.pipelines.prepacked_linear import prepack_linear_layers
from inference.pipelines.quantization import quantize_linear_layers
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import FillRequest, Request, SentimentRequest
from inference.types import ModelSpec, Output

_MAX_NUM_SEQS = 16
"""Sequences that are decoded together. More of them only slow each other down."""

_WINDOW_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")
"""Settings that hold the largest number of tokens, in one config or another."""

_NO_WINDOW = 32768
"""Tokens for models without a largest position, such as recurrent ones."""

_PROBE_TEXT = "The river was high, so they waited for the boat and told each other what they had seen on the way."


class CausalLM(Pipeline):
    """A causal language model and its tokenizer."""

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer, spec: ModelSpec) -> None:
        self._window = window = _window(model, tokenizer)
        quantize_linear_layers(model, spec.quantize)
        prepack_linear_layers(model)
        self.nbytes = weight_bytes(model)
        runner, self.verdict = choose_runner(model, tokenizer.encode_prompt(_PROBE_TEXT), _MAX_NUM_SEQS, spec.verdict)
        self._scorer = Scorer(runner, tokenizer, window)
        self._generation = Generation(
            runner, tokenizer, PromptTemplate(tokenizer, window), _eos_token_ids(model, tokenizer), _MAX_NUM_SEQS
        )

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        if file := gguf_in(spec, folder):
            model = read_gguf_model(spec, folder, placement)
        else:
            model = read_model(AutoModelForCausalLM, folder, placement)
        return cls(model, Tokenizer(folder, gguf_file=file), spec)

    def run(self, batch: Batch) -> None:
        if isinstance(batch.jobs[0].request, FillRequest | SentimentRequest):
            run_jobs(batch, lambda job: self._score(job.request, lambda: yield_to_others(batch, job)))
        else:
            self._generation.run(batch)

    def _score(self, request: Request, yield_to_others: Callable[[], None]) -> Output:
        if isinstance(request, FillRequest):
            return self._scorer.fill(request, yield_to_others)
        assert isinstance(request, SentimentRequest)
        return self._scorer.sentiment(request, yield_to_others)


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
