"""What a pipeline does with any causal language model, whichever library runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from inference.pipelines.causal_lm.generation import Generation
from inference.pipelines.causal_lm.model_runner import ModelRunner
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.scoring import Scorer
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.tasks import FillRequest, Request, SentimentRequest
from inference.types import Output


class CausalPipeline(Pipeline):
    """Writes and scores texts with one model, which `runner` runs. `window` is the most tokens that it can process."""

    max_num_seqs: ClassVar[int] = 16
    """Sequences that are decoded together. More of them only slow each other down."""

    def __init__(self, runner: ModelRunner[Any], tokenizer: Tokenizer, window: int, eos_token_ids: set[int]) -> None:
        self._window = window
        self._scorer = Scorer(runner, tokenizer, window)
        self._generation = Generation(
            runner, tokenizer, PromptTemplate(tokenizer, window), eos_token_ids, self.max_num_seqs
        )

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
