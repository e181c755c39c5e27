"""Causal language models (GPT-2, OPT, Llama and similar): models that continue a prompt.

They complete texts. With a suitable prompt they also answer, summarize, fill blanks and rate sentiment.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from transformers import AutoModelForCausalLM, PreTrainedModel

from inference.pipelines.causal_lm.generation import Generation
from inference.pipelines.causal_lm.model_runner import ATTENTION, ModelRunner
from inference.pipelines.causal_lm.prepacked_linear import prepack_linear_layers
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.scoring import Scorer
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import FillRequest, Request, SentimentRequest
from inference.types import ModelSpec, Output
from inference.types.errors import ModelUnavailable

_MAX_NUM_SEQS = 16
"""Sequences that are decoded together. More of them only slow each other down."""


class CausalLM(Pipeline):
    """A causal language model and its tokenizer."""

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer) -> None:
        window = _window(model, tokenizer)
        self.nbytes = prepack_linear_layers(model) + weight_bytes(model)
        runner = ModelRunner(model, _MAX_NUM_SEQS)
        self._scorer = Scorer(runner, tokenizer, window)
        self._generation = Generation(
            runner, tokenizer, PromptTemplate(tokenizer, window), _eos_token_ids(model, tokenizer), _MAX_NUM_SEQS
        )

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        model = read_model(AutoModelForCausalLM, folder, placement, attn_implementation=ATTENTION)
        if "position_ids" not in inspect.signature(model.forward).parameters:
            raise ModelUnavailable("{name} is a kind of language model that this bot can't run yet.", name=spec.name)
        return cls(model, Tokenizer(folder))

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
    return min(getattr(model.config, "max_position_embeddings", 1024), tokenizer.model_max_length)


def _eos_token_ids(model: PreTrainedModel, tokenizer: Tokenizer) -> set[int]:
    """Return the tokens that end a text, from the generation settings and the tokenizer."""
    configured: Any = model.generation_config.eos_token_id if model.generation_config else None
    listed: list[int | None] = configured if isinstance(configured, list) else [configured]
    return {token for token in (*listed, tokenizer.eos_token_id) if token is not None}
