"""Sentiment analysis with a sequence classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from inference.pipelines.classification import label_probabilities
from inference.pipelines.devices import Placement
from inference.pipelines.encoder_models import (
    ModelInput,
    read_encoder,
    read_tokenizer,
    run_batched,
    token_windows,
    window,
)
from inference.pipelines.pipeline import Batch, Job, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import weight_bytes
from inference.tasks import Mood, SentimentRequest, SentimentResult
from inference.text.sentiment_scale import valences
from inference.types import ModelSpec, Progress

_MAX_BATCH_SIZE = 64
"""Texts between two reports of progress."""


class SentimentAnalysis(Pipeline):
    """A sequence classifier and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = window(model, tokenizer)
        self._labels = [str(model.config.id2label[i]).lower() for i in range(model.config.num_labels)]
        self._valences = valences(self._labels)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        tokenizer = read_tokenizer(folder)
        return cls(read_encoder(AutoModelForSequenceClassification, spec, folder, placement, tokenizer), tokenizer)

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._analyze(batch, job))

    def _analyze(self, batch: Batch, job: Job) -> SentimentResult:
        """Rate each text. Windows of equal length share a forward pass, also those of different texts."""
        assert isinstance(job.request, SentimentRequest)
        texts = job.request.texts
        moods: list[Mood] = []
        for start in range(0, len(texts), _MAX_BATCH_SIZE):
            if start:
                job.emit(Progress(start, len(texts)))
            windows = [
                token_windows(self._tokenizer, text, self._window) for text in texts[start : start + _MAX_BATCH_SIZE]
            ]
            inputs = [model_input for text_windows in windows for model_input in text_windows]
            logits = iter(
                run_batched(self._model, inputs, lambda output: output.logits, lambda: yield_to_others(batch, job))
            )
            moods += [self._mood(text_windows, [next(logits) for _ in text_windows]) for text_windows in windows]
        return SentimentResult(tuple(moods))

    def _mood(self, inputs: list[ModelInput], logits: list[Tensor]) -> Mood:
        """Average over the windows of a text, weighted by their lengths."""
        lengths = torch.tensor([float(len(model_input["input_ids"])) for model_input in inputs])  # [windows]
        window_probabilities = torch.stack(
            [label_probabilities(self._model.config, row) for row in logits]
        )  # [windows, labels]
        probabilities = lengths / lengths.sum() @ window_probabilities  # [labels]
        score, label = probabilities.max(dim=0)
        return Mood(self._labels[int(label)], float(score), self._valence(probabilities))

    def _valence(self, probabilities: Tensor) -> float | None:
        if self._valences is None:
            return None
        return float(probabilities @ torch.tensor(self._valences) / probabilities.sum())
