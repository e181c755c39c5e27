"""Image captioning with an image encoder and a text decoder in one model (ViT-GPT2, BLIP)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from inference.images.decoding import open_picture
from inference.pipelines.devices import Placement
from inference.pipelines.pipeline import Batch, Job, Pipeline, run_jobs, yield_to_others
from inference.pipelines.prepacked_linear import prepack_linear_layers
from inference.pipelines.shared_beams import shared_input
from inference.pipelines.stopping_criteria import YieldPointCriteria
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import Caption, CaptionRequest
from inference.text.known_concepts import concepts_in
from inference.types import ModelSpec
from inference.types.errors import EMPTY_PHRASE, ModelUnavailable, Phrase

_NUM_BEAMS = 4

_SURE = 0.9
"""The mean probability of its tokens from which a caption by a small model counts as sure. Of 64 drawings of known
things by emoji-painter, 55 are above; photos, sheets and other drawings are mostly below."""

_MAX_NEW_TOKENS = {"vision-encoder-decoder": 16, "blip": 32}
"""Supported model types with the maximum length of a caption. ViT-GPT2 repeats itself after the 16 of its card."""


class Captioning(Pipeline):
    """A captioning model with its image processor and tokenizer.

    `num_known` is the number of things that it knows, 0 if there is no list of them.
    """

    def __init__(self, model: Any, processor: Any, tokenizer: Any, num_known: int) -> None:
        self.nbytes = weight_bytes(model)
        self._num_known = num_known
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Raise ModelUnavailable for model types that need a prompt or a conversation beside the image."""
        model_type = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
        if model_type not in _MAX_NEW_TOKENS:
            raise ModelUnavailable(
                "{name} is a {kind} model; captions need one of {kinds}.",
                name=spec.name,
                kind=model_type,
                kinds=", ".join(_MAX_NEW_TOKENS),
            )
        model = read_model(AutoModelForImageTextToText, folder, placement)
        prepack_linear_layers(model)
        return cls(
            model,
            AutoImageProcessor.from_pretrained(folder, local_files_only=True),
            AutoTokenizer.from_pretrained(folder, local_files_only=True),
            sum(map(len, concepts_in(folder).values())),
        )

    def run(self, batch: Batch) -> None:
        # One after another: in a batch the last bits of the results, and so the words, depend on the other images.
        run_jobs(batch, lambda job: self._describe(batch, job))

    @torch.inference_mode()
    def _describe(self, batch: Batch, job: Job) -> Caption:
        assert isinstance(job.request, CaptionRequest)
        picture = open_picture(job.request.image, max_megapixels=math.inf)  # the engine has checked the size
        pixels = self._processor(images=picture, return_tensors="pt").pixel_values  # [1, 3, height, width]
        del picture  # its memory is not needed while the model runs
        inputs = {"pixel_values": pixels.to(self._model.device, self._model.dtype)}
        if self._model.config.is_encoder_decoder:
            inputs |= shared_input(self._model, _NUM_BEAMS, **inputs)
        written = self._model.generate(
            **inputs,
            num_beams=_NUM_BEAMS,
            max_new_tokens=_MAX_NEW_TOKENS[self._model.config.model_type],
            stopping_criteria=[YieldPointCriteria(lambda: yield_to_others(batch, job))],
            output_scores=True,
            return_dict_in_generate=True,
        )
        text = self._tokenizer.decode(written.sequences[0], skip_special_tokens=True).strip()
        return Caption(text, self._note(math.exp(float(written.sequences_scores[0]))))

    def _note(self, probability: float) -> Phrase:
        """Return a note that the model is guessing, if it knows few things and is not sure."""
        if not self._num_known or probability >= _SURE:
            return EMPTY_PHRASE
        return Phrase(
            "This small model knows {count} things, as single drawings. It is not sure here, and may only guess.",
            count=self._num_known,
        )
