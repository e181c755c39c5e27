"""Models that write about pictures: vision language models, and captioning models that get a prompt."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Self

from transformers import AutoModelForImageTextToText

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.image_text_to_text.picture_reader import PictureReader
from inference.pipelines.image_text_to_text.processor import read_processor
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import CaptionRequest, ChatAnswerRequest, Request
from inference.types import ModelSpec

__all__ = ["ImageTextToText", "ImageToText"]


class ImageTextToText(CausalLM):
    """A vision language model (SmolVLM, Qwen-VL, LLaVA, Gemma 3). One copy serves texts and pictures.

    Texts are decoded in batches, as by every language model. Pictures are read one after another.
    """

    def __init__(self, model: Any, tokenizer: Tokenizer, spec: ModelSpec, folder: Path) -> None:
        super().__init__(model, tokenizer, spec)
        self._model = model
        self._tokenizer = tokenizer
        self._folder = folder

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Raise ModelUnavailable for captions if there is no processor. Texts need none."""
        model = read_model(AutoModelForImageTextToText, folder, placement)
        pipeline = cls(model, Tokenizer(folder), spec, folder)
        if spec.task == "caption":
            _ = pipeline._reader
        return pipeline

    def run(self, batch: Batch) -> None:
        if _has_picture(batch.jobs[0].request):
            run_jobs(batch, lambda job: self._reader.read(batch, job))
        else:
            super().run(batch)

    @cached_property
    def _reader(self) -> PictureReader:
        return PictureReader(self._model, read_processor(self._folder), self._tokenizer, self._window)


class ImageToText(Pipeline):
    """A model that writes nothing without a picture (BLIP-2, Florence-2, GIT, PaliGemma)."""

    def __init__(self, model: Any, reader: PictureReader) -> None:
        self.nbytes = weight_bytes(model)
        self._reader = reader

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Raise ModelUnavailable if there is no processor."""
        processor = read_processor(folder)
        model: Any = read_model(AutoModelForImageTextToText, folder, placement)
        return cls(model, PictureReader(model, processor, Tokenizer(folder)))

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._reader.read(batch, job))


def _has_picture(request: Request) -> bool:
    return isinstance(request, CaptionRequest) or (isinstance(request, ChatAnswerRequest) and bool(request.image))
