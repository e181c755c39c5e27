"""Summarizing with an encoder-decoder (BART, T5, Pegasus): texts of any length, in parts that fit the model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig

from inference.devices import Placement
from inference.pipelines.base import Batch, Job, Pipeline, pause, run_jobs
from inference.pipelines.checkpoints import Checkpoint
from inference.pipelines.encoder import read_tokenizer
from inference.pipelines.parts import split_into_parts
from inference.pipelines.weights import read_model, weight_bytes
from inference.types import ModelSpec, Progress, SummarizeRequest, Summary

_BEAMS = 4
"""Unless the model's config says otherwise of summaries; what its generation settings say is not for them alone."""

_LONGEST = 256
"""Tokens of a summary, for models whose files don't say."""

_UNSET = 20
"""The `max_length` that old generation configs hold when nobody chose one."""


class Summarization(Pipeline):
    """An encoder-decoder, its tokenizer, and how it wants to be asked for a summary."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._settings, self._prefix = _for_summaries(model)
        self._window = _window(model, tokenizer)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_model(AutoModelForSeq2SeqLM, folder, placement), read_tokenizer(folder))

    def run(self, batch: Batch) -> None:
        # One after another: padding texts to one length would change the last bits of each, and with them the words.
        run_jobs(batch, lambda job: self._summarize(batch, job))

    def _summarize(self, batch: Batch, job: Job) -> Summary:
        """Summarize each part, and the summaries again for as long as they don't fit the window together."""
        assert isinstance(job.request, SummarizeRequest)
        parts = first = self._parts(job.request.text)
        done = 0
        while True:
            summaries: list[str] = []
            for part in parts:
                pause(batch, job)
                summaries.append(self._shorten(part, lambda: pause(batch, job)))
                done += 1
                job.emit(Progress(done, done + len(parts) - len(summaries)))
            text = summaries[0] if len(summaries) == 1 else "\n".join(summary.strip() for summary in summaries)
            again = self._parts(text)
            if not 1 < len(again) < len(parts):
                return Summary(text, len(first))
            parts = again

    def _parts(self, text: str) -> list[str]:
        if len(self._tokens(text)["input_ids"]) <= self._window:
            return [text]
        around = len(self._tokens("")["input_ids"])
        return split_into_parts(text, self._window - around, self._length)

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _tokens(self, text: str, **options: Any) -> Any:
        return self._tokenizer(self._prefix + text, verbose=False, **options)

    @torch.inference_mode()
    def _shorten(self, text: str, checkpoint: Callable[[], None]) -> str:
        tokens = self._tokens(text, return_tensors="pt").to(self._model.device)  # [1, tokens]
        summary = self._model.generate(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            generation_config=_scaled(self._settings, tokens["input_ids"].shape[1]),
            stopping_criteria=[Checkpoint(checkpoint)],
        )
        return self._tokenizer.decode(summary[0], skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _scaled(settings: GenerationConfig, length: int) -> GenerationConfig:
    """Limits for a text of `length` tokens: as configured, unless the text is shorter than the longest summary.

    Then both limits shrink in proportion, so that a summary is never longer than its text, nor padded
    with inventions up to a minimum that was meant for articles.
    """
    scaled = copy.deepcopy(settings)
    if length < settings.max_length:
        scaled.min_length = settings.min_length * length // settings.max_length
        scaled.max_length = max(length, 8)
    return scaled


def _for_summaries(model: Any) -> tuple[GenerationConfig, str]:
    """The model's own settings, with what its config says of summaries in particular, and what it puts before a text.

    Which of them prevails is as in the `summarization` pipeline that transformers had up to 4.57.
    """
    special: dict[str, Any] = dict((getattr(model.config, "task_specific_params", None) or {}).get("summarization", {}))
    prefix: str | None = special.pop("prefix", getattr(model.config, "prefix", None))
    settings = copy.deepcopy(model.generation_config)
    settings.update(**special)
    if settings.max_length in (None, _UNSET):
        settings.max_length = settings.max_new_tokens + 1 if settings.max_new_tokens else _LONGEST
    settings.max_new_tokens = None
    settings.min_length = settings.min_length or 0
    settings.num_beams = special.get("num_beams", _BEAMS)
    settings.do_sample = False
    return settings, prefix or ""


def _window(model: Any, tokenizer: Any) -> int:
    """Tokens that the encoder reads: its positions, or for models that count relative ones, the tokenizer's advice."""
    for name in ("max_encoder_position_embeddings", "max_position_embeddings"):
        if positions := getattr(model.config, name, None):
            return positions
    return min(tokenizer.model_max_length, 1024)
