"""Describing pictures: an image encoder and a text decoder in one model (ViT-GPT2, BLIP)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer, StoppingCriteria

from inference.devices import Placement
from inference.errors import InvalidRequest, ModelUnavailable
from inference.images import open_picture
from inference.pipelines.base import Batch, Job, Pipeline, translated
from inference.pipelines.weights import read_model, weight_bytes
from inference.types import Caption, CaptionRequest, ModelSpec

_BEAMS = 4

_LONGEST = {"vision-encoder-decoder": 16, "blip": 32}
"""The kinds of captioner, and how many tokens a caption may have. ViT-GPT2 repeats itself after the 16 of its card."""


class Captioning(Pipeline):
    """A captioning model with its image processor and tokenizer."""

    def __init__(self, model: Any, processor: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Raises ModelUnavailable for kinds of model that need a prompt, or a conversation, beside the picture."""
        kind = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
        if kind not in _LONGEST:
            raise ModelUnavailable(f"{spec.name} is a {kind} model; captions need one of {', '.join(_LONGEST)}.")
        return cls(
            read_model(AutoModelForImageTextToText, folder, placement),
            AutoImageProcessor.from_pretrained(folder, local_files_only=True),
            AutoTokenizer.from_pretrained(folder, local_files_only=True),
        )

    def run(self, batch: Batch) -> None:
        batch.checkpoint()
        opened = list(_open_each(batch.jobs))
        if not opened:
            return
        jobs, pictures = zip(*opened, strict=True)
        with translated():
            texts = self._describe(pictures, batch)
        for job, text in zip(jobs, texts, strict=True):
            if not job.cancelled:
                job.finish(Caption(text))

    @torch.inference_mode()
    def _describe(self, pictures: tuple[Image.Image, ...], batch: Batch) -> list[str]:
        # The processor brings all pictures to one size: [pictures, 3, height, width]
        pixels = self._processor(images=list(pictures), return_tensors="pt").pixel_values
        tokens = self._model.generate(  # [pictures, tokens]
            pixel_values=pixels.to(self._model.device, self._model.dtype),
            num_beams=_BEAMS,
            max_new_tokens=_LONGEST[self._model.config.model_type],
            stopping_criteria=[_Checkpoint(batch)],
        )
        return [text.strip() for text in self._tokenizer.batch_decode(tokens, skip_special_tokens=True)]


class _Checkpoint(StoppingCriteria):
    """Stops nothing: `generate` calls it after each token, which is when others may have their turn."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:  # type: ignore[override]
        self._batch.checkpoint()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def _open_each(jobs: Iterable[Job]) -> Iterable[tuple[Job, Image.Image]]:
    """Each job with its picture; one whose picture can't be read fails alone."""
    for job in jobs:
        assert isinstance(job.request, CaptionRequest)
        if job.cancelled:
            continue
        try:
            picture = open_picture(job.request.image, max_megapixels=math.inf)  # the engine knows the limit
        except InvalidRequest as error:
            job.fail(error)
        else:
            yield job, picture
