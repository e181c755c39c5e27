"""Telling the mood of texts with a sequence classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from inference.pipelines.devices import Placement
from inference.pipelines.encoder_models import Row, read_tokenizer, run_rows, window
from inference.pipelines.pipeline import Batch, Job, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import Mood, SentimentRequest, SentimentResult
from inference.text.sentiment_scale import valences
from inference.types import ModelSpec, Progress

_MAX_BATCH_SIZE = 64
"""Texts between two reports of progress."""


class SentimentAnalysis(Pipeline):
    """A classifier and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = window(model, tokenizer)
        self._labels = [str(model.config.id2label[i]).lower() for i in range(model.config.num_labels)]
        self._valences = valences(self._labels)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_model(AutoModelForSequenceClassification, folder, placement), read_tokenizer(folder))

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._tell(batch, job))

    def _tell(self, batch: Batch, job: Job) -> SentimentResult:
        """Windows of equal length share a forward pass, whichever text they are of."""
        assert isinstance(job.request, SentimentRequest)
        texts = job.request.texts
        moods: list[Mood] = []
        for start in range(0, len(texts), _MAX_BATCH_SIZE):
            if start:
                job.emit(Progress(start, len(texts)))
            windows = [self._windows(text) for text in texts[start : start + _MAX_BATCH_SIZE]]
            rows = [row for rows in windows for row in rows]
            logits = iter(
                run_rows(self._model, rows, lambda output: output.logits, lambda: yield_to_others(batch, job))
            )
            moods += [self._mood(rows, [next(logits) for _ in rows]) for rows in windows]
        return SentimentResult(tuple(moods))

    def _mood(self, rows: list[Row], logits: list[Tensor]) -> Mood:
        """A text longer than the model's window is read window by window, each counting by its length."""
        lengths = torch.tensor([float(len(row["input_ids"])) for row in rows])  # [windows]
        of_windows = torch.stack([self._probabilities(row) for row in logits])  # [windows, labels]
        probabilities = lengths / lengths.sum() @ of_windows  # [labels]
        score, label = probabilities.max(dim=0)
        return Mood(self._labels[int(label)], float(score), self._valence(probabilities))

    def _valence(self, probabilities: Tensor) -> float | None:
        if self._valences is None:
            return None
        return float(probabilities @ torch.tensor(self._valences) / probabilities.sum())

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
