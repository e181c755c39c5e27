"""Telling the mood of a text with a sequence classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from inference.devices import Placement
from inference.pipelines.base import Batch, Job, Pipeline, pause, run_jobs
from inference.pipelines.encoder import Row, read_tokenizer, run_rows, window
from inference.pipelines.weights import read_model, weight_bytes
from inference.types import ModelSpec, Mood, SentimentRequest


class Sentiment(Pipeline):
    """A classifier and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = window(model, tokenizer)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_model(AutoModelForSequenceClassification, folder, placement), read_tokenizer(folder))

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._tell(batch, job))

    def _tell(self, batch: Batch, job: Job) -> Mood:
        """A text longer than the model's window is read window by window, each counting by its length."""
        assert isinstance(job.request, SentimentRequest)
        rows = self._windows(job.request.text)
        logits = run_rows(self._model, rows, lambda output: output.logits, lambda: pause(batch, job))
        lengths = torch.tensor([float(len(row["input_ids"])) for row in rows])  # [windows]
        probabilities = torch.stack([self._probabilities(row) for row in logits])  # [windows, labels]
        score, label = (lengths / lengths.sum() @ probabilities).max(dim=0)
        return Mood(self._model.config.id2label[int(label)].lower(), float(score))

    def _windows(self, text: str) -> list[Row]:
        encoded = self._tokenizer(
            text, truncation=True, max_length=self._window, return_overflowing_tokens=True, verbose=False
        )
        names = [name for name in self._tokenizer.model_input_names if name in encoded]
        return [{name: encoded[name][i] for name in names} for i in range(len(encoded["input_ids"]))]

    def _probabilities(self, logits: Tensor) -> Tensor:
        """Labels that exclude each other share a probability of 1; others have one each."""
        config = self._model.config
        alone = config.problem_type == "multi_label_classification" or config.num_labels == 1
        return logits.sigmoid() if alone else logits.softmax(dim=-1)
