"""Classification of texts and pictures with the models under `safety`, whose scores equal those of transformers."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForImageClassification, AutoModelForSequenceClassification

from inference.images.decoding import open_picture
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
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import Classification, ClassifyPicturesRequest, ClassifyTextsRequest
from inference.types import ModelSpec
from inference.types.errors import GenerationFailed

_OVERLAP = 8
"""Windows of a long text overlap by this part of a window, so that few sentences are only seen in halves."""


def has_exclusive_labels(config: Any) -> bool:
    """Return whether exactly one label of a model is true, as transformers' own pipelines decide it."""
    return config.problem_type != "multi_label_classification" and config.num_labels > 1


def label_probabilities(config: Any, logits: Tensor) -> Tensor:
    """Return softmax probabilities of exclusive labels, sigmoid probabilities of independent labels."""
    return logits.softmax(dim=-1) if has_exclusive_labels(config) else logits.sigmoid()


class _ClassifierPipeline(Pipeline):
    """A model whose output has a number for each of its labels."""

    def __init__(self, model: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._labels = tuple(str(model.config.id2label[i]) for i in range(model.config.num_labels))

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._classify(batch, job))

    @abstractmethod
    def _scores(self, batch: Batch, job: Job) -> list[Tensor]:
        """Return the probabilities [labels] of each text or picture."""

    def _probabilities(self, logits: Tensor) -> Tensor:
        """Return the probabilities of the labels. Numbers that overflowed would say that nothing is wrong."""
        if not torch.isfinite(logits).all():
            raise GenerationFailed(
                "The numbers of the model that checks this overflowed. The bot's operator has to choose another model."
            )
        return label_probabilities(self._model.config, logits)

    def _classify(self, batch: Batch, job: Job) -> Classification:
        scores = self._scores(batch, job)
        rows = tuple(tuple(row.tolist()) for row in scores)
        return Classification(self._labels, rows, has_exclusive_labels(self._model.config))


class ImageClassification(_ClassifierPipeline):
    """An image classifier with its image processor."""

    def __init__(self, model: Any, processor: Any) -> None:
        super().__init__(model)
        self._processor = processor

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        model = read_model(AutoModelForImageClassification, folder, placement)
        return cls(model, AutoImageProcessor.from_pretrained(folder, local_files_only=True))

    def _scores(self, batch: Batch, job: Job) -> list[Tensor]:
        assert isinstance(job.request, ClassifyPicturesRequest)
        scores: list[Tensor] = []
        for picture in job.request.pictures:  # one by one: results do not depend on the other pictures
            yield_to_others(batch, job)
            scores.append(self._probabilities(self._logits(picture)))
        return scores

    @torch.inference_mode()
    def _logits(self, data: bytes) -> Tensor:
        picture = open_picture(data, max_megapixels=math.inf)  # the engine has checked the size
        inputs = self._processor(images=picture, return_tensors="pt")
        pixels = inputs.pixel_values.to(self._model.device, self._model.dtype)  # [1, 3, height, width]
        return self._model(pixel_values=pixels).logits[0].float().cpu()


class TextClassification(_ClassifierPipeline):
    """A sequence classifier with its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__(model)
        self._tokenizer = tokenizer
        self._window = window(model, tokenizer)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        tokenizer = read_tokenizer(folder)
        return cls(read_encoder(AutoModelForSequenceClassification, spec, folder, placement, tokenizer), tokenizer)

    def _scores(self, batch: Batch, job: Job) -> list[Tensor]:
        """Return for each label the highest probability in any window of a text: one bad part is enough."""
        assert isinstance(job.request, ClassifyTextsRequest)
        windows = [self._windows(text) for text in job.request.texts]
        inputs = [model_input for text_windows in windows for model_input in text_windows]
        logits = iter(
            run_batched(self._model, inputs, lambda output: output.logits, lambda: yield_to_others(batch, job))
        )
        rows = [torch.stack([self._probabilities(next(logits)) for _ in each]) for each in windows]  # [windows, labels]
        return [row.amax(dim=0) for row in rows]

    def _windows(self, text: str) -> Sequence[ModelInput]:
        return token_windows(self._tokenizer, text, self._window, overlap=self._window // _OVERLAP)
