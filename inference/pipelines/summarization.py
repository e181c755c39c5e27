"""Summarizing with an encoder-decoder (BART, T5, Pegasus): texts of any length, in parts that fit the model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig

from inference.pipelines.devices import Placement
from inference.pipelines.encoder_models import read_tokenizer
from inference.pipelines.pipeline import Batch, Job, Pipeline, run_jobs, yield_to_others
from inference.pipelines.stopping_criteria import YieldPointCriteria
from inference.pipelines.summary_sections import SECTIONS, a_few, bullets, grouped, joined, sections_of
from inference.pipelines.text_splitting import split_into_parts
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import Length, Section, SummarizeRequest, Summary
from inference.types import ModelSpec, Progress

_BEAMS = 4
"""Unless the model's config says otherwise of summaries; what its generation settings say is not for them alone."""

_LONGEST = 256
"""Tokens of a summary, for models whose files don't say."""

_SCALE: dict[Length, float] = {"short": 0.4, "medium": 1, "long": 2, "bullets": 1}
"""How long the summary of one part gets, by the model's own measure of a summary."""

_WHOLE: dict[Length, int] = {"short": 1, "medium": 3, "long": 4, "bullets": 3}
"""How long that of a whole text may get, in summaries of one part."""

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
        self._around = len(self._tokens("")["input_ids"])

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_model(AutoModelForSeq2SeqLM, folder, placement), read_tokenizer(folder))

    def run(self, batch: Batch) -> None:
        # One after another: padding texts to one length would change the last bits of each, and with them the words.
        run_jobs(batch, lambda job: self._summarize(batch, job))

    def _summarize(self, batch: Batch, job: Job) -> Summary:
        """Summarize each part, and the summaries again, neighbours together, while they are too long."""
        request = job.request
        assert isinstance(request, SummarizeRequest)
        settings = _sized(self._settings, request.length, self._window)
        parts = again = self._parts(request)
        told: list[Section] = []
        levels: list[list[Section]] = []
        done = 0
        while len(again) < len(told) or not told:
            told = []
            for part in again:
                yield_to_others(batch, job)
                text = self._shorten(part.summary, settings, lambda: yield_to_others(batch, job))
                told.append(replace(part, summary=text))
                done += 1
                job.emit(Progress(done, done + len(again) - len(told)))
            levels.append(told)
            if self._length(joined(told).summary) <= _WHOLE[request.length] * settings.max_length:
                break
            again = grouped(told, self._window - self._around, self._length)
        return _summary(levels, len(parts), request)

    def _parts(self, request: SummarizeRequest) -> list[Section]:
        """The text itself, in stretches that the model can read."""
        if len(self._tokens(request.text)["input_ids"]) <= self._window:
            return sections_of([request.text])
        room = self._window - self._around
        return sections_of(split_into_parts(request.text, room, self._length, request.boundaries))

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _tokens(self, text: str, **options: Any) -> Any:
        return self._tokenizer(self._prefix + text, verbose=False, **options)

    @torch.inference_mode()
    def _shorten(self, text: str, settings: GenerationConfig, yield_point: Callable[[], None]) -> str:
        # Truncated: what the model wrote may, read again, be more tokens than it wrote.
        limits = {"truncation": True, "max_length": self._window}
        tokens = self._tokens(text, return_tensors="pt", **limits).to(self._model.device)  # [1, tokens]
        summary = self._model.generate(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            generation_config=_scaled(settings, tokens["input_ids"].shape[1]),
            stopping_criteria=[YieldPointCriteria(yield_point)],
        )
        return self._tokenizer.decode(summary[0], skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _summary(levels: list[list[Section]], parts: int, request: SummarizeRequest) -> Summary:
    """The last level is the summary; the first that is short enough tells of the sections."""
    level = next((level for level in levels if len(level) <= SECTIONS), levels[-1])
    text, sections = joined(levels[-1]).summary, a_few(level)
    if request.length == "bullets":
        text, sections = bullets(text), [replace(section, summary=bullets(section.summary)) for section in sections]
    return Summary(text, parts, tuple(sections))


def _sized(settings: GenerationConfig, length: Length, window: int) -> GenerationConfig:
    """The model's own limits for a summary of this length; never so long that two don't fit the window again."""
    sized = copy.deepcopy(settings)
    sized.max_length = min(round(settings.max_length * _SCALE[length]), max(settings.max_length, window // 2))
    sized.min_length = min(round(settings.min_length * _SCALE[length]), sized.max_length)
    return sized


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
