"""Summarization with encoder-decoder models (BART, T5, Pegasus), of texts of any length, in parts."""

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
from inference.pipelines.prepacked_linear import prepack_linear_layers
from inference.pipelines.quantization import quantize_linear_layers
from inference.pipelines.shared_beams import shared_input
from inference.pipelines.stopping_criteria import YieldPointCriteria
from inference.pipelines.summary_sections import (
    MAX_SECTIONS,
    group_sections,
    join_sections,
    limit_sections,
    make_sections,
    to_bullets,
    unsupported_figures,
)
from inference.pipelines.text_splitting import split_into_parts
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import Length, Section, SummarizeRequest, Summary
from inference.types import ModelSpec, Progress

_NUM_BEAMS = 4
"""The number of beams, unless the config has one for summarization. The generation config is not for it alone."""

_MAX_LENGTH = 256
"""Maximum tokens of a summary, for models whose files set none."""

_LENGTH_SCALE: dict[Length, float] = {"short": 0.4, "medium": 1, "long": 2, "bullets": 1}
"""Length of the summary of one part, relative to the model's own limits."""

_MAX_TOTAL_LENGTH: dict[Length, int] = {"short": 1, "medium": 3, "long": 4, "bullets": 3}
"""Maximum length of the whole summary, in summaries of one part."""

_DEFAULT_MAX_LENGTH = 20
"""The `max_length` in old generation configs where nobody set one."""


class Summarization(Pipeline):
    """An encoder-decoder model with its tokenizer and settings for summaries."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._generation_config, self._prefix = _summarization_settings(model)
        self._window = _window(model, tokenizer)
        self._num_extra_tokens = len(self._tokens("")["input_ids"])

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        model = read_model(AutoModelForSeq2SeqLM, folder, placement)
        quantize_linear_layers(model, spec.quantize)
        prepack_linear_layers(model)
        return cls(model, read_tokenizer(folder))

    def run(self, batch: Batch) -> None:
        # One after another: padding to one length would change the last bits of each result, and with them the words.
        run_jobs(batch, lambda job: self._summarize(batch, job))

    def _summarize(self, batch: Batch, job: Job) -> Summary:
        """Summarize each part. Join neighbouring summaries and summarize them again while they are too long."""
        request = job.request
        assert isinstance(request, SummarizeRequest)
        config = _scale_to_length(self._generation_config, request.length, self._window)
        parts = inputs = self._parts(request)
        summaries: list[Section] = []
        levels: list[list[Section]] = []
        done = 0
        while len(inputs) < len(summaries) or not summaries:
            summaries = []
            for part in inputs:
                yield_to_others(batch, job)
                text = self._generate(part.summary, config, lambda: yield_to_others(batch, job))
                summaries.append(replace(part, summary=text))
                done += 1
                job.emit(Progress(done, done + len(inputs) - len(summaries)))
            levels.append(summaries)
            if self._length(join_sections(summaries).summary) <= _MAX_TOTAL_LENGTH[request.length] * config.max_length:
                break
            inputs = group_sections(summaries, self._window - self._num_extra_tokens, self._length)
        return _summary(levels, len(parts), request)

    def _parts(self, request: SummarizeRequest) -> list[Section]:
        """Return the text in parts that the model can read."""
        if len(self._tokens(request.text)["input_ids"]) <= self._window:
            return make_sections([request.text])
        room = self._window - self._num_extra_tokens
        return make_sections(split_into_parts(request.text, room, self._length, request.boundaries))

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _tokens(self, text: str, **options: Any) -> Any:
        return self._tokenizer(self._prefix + text, verbose=False, **options)

    @torch.inference_mode()
    def _generate(self, text: str, config: GenerationConfig, yield_point: Callable[[], None]) -> str:
        # Truncated: generated text can have more tokens when it is encoded again.
        limits = {"truncation": True, "max_length": self._window}
        tokens = self._tokens(text, return_tensors="pt", **limits).to(self._model.device)  # [1, tokens]
        inputs = {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}
        summary = self._model.generate(
            **inputs,
            **shared_input(self._model, config.num_beams, **inputs),
            generation_config=_limit_to_input(config, tokens["input_ids"].shape[1]),
            stopping_criteria=[YieldPointCriteria(yield_point)],
        )
        return self._tokenizer.decode(summary[0], skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _summary(levels: list[list[Section]], parts: int, request: SummarizeRequest) -> Summary:
    """Return the last level as summary. Its sections are the first level with few enough of them."""
    level = next((level for level in levels if len(level) <= MAX_SECTIONS), levels[-1])
    text, sections = join_sections(levels[-1]).summary, limit_sections(level)
    if request.length == "bullets":
        text, sections = (
            to_bullets(text),
            [replace(section, summary=to_bullets(section.summary)) for section in sections],
        )
    return Summary(text, parts, tuple(sections), unsupported_figures(request.text, text, sections))


def _scale_to_length(config: GenerationConfig, length: Length, window: int) -> GenerationConfig:
    """Scale the model's own limits to the requested length. Two summaries must fit the window together."""
    scaled = copy.deepcopy(config)
    scaled.max_length = min(round(config.max_length * _LENGTH_SCALE[length]), max(config.max_length, window // 2))
    scaled.min_length = min(round(config.min_length * _LENGTH_SCALE[length]), scaled.max_length)
    return scaled


def _limit_to_input(config: GenerationConfig, length: int) -> GenerationConfig:
    """Limit the summary of a text of `length` tokens.

    If the text is shorter than the longest summary, both limits shrink in proportion. So a summary is never longer than
    its text, and need not invent facts to reach a minimum that was meant for articles.
    """
    limited = copy.deepcopy(config)
    if length < config.max_length:
        limited.min_length = config.min_length * length // config.max_length
        limited.max_length = max(length, 8)
    return limited


def _summarization_settings(model: Any) -> tuple[GenerationConfig, str]:
    """Return the generation config with the model's settings for summaries, and the prefix of its inputs.

    Priorities are as in the `summarization` pipeline of transformers up to 4.57.
    """
    task_params: dict[str, Any] = dict(
        (getattr(model.config, "task_specific_params", None) or {}).get("summarization", {})
    )
    prefix: str | None = task_params.pop("prefix", getattr(model.config, "prefix", None))
    config = copy.deepcopy(model.generation_config)
    config.update(**task_params)
    if config.max_length in (None, _DEFAULT_MAX_LENGTH):
        config.max_length = config.max_new_tokens + 1 if config.max_new_tokens else _MAX_LENGTH
    config.max_new_tokens = None
    config.min_length = config.min_length or 0
    config.num_beams = task_params.get("num_beams", _NUM_BEAMS)
    config.do_sample = False
    return config, prefix or ""


def _window(model: Any, tokenizer: Any) -> int:
    """Return the encoder's maximum tokens; for models with relative positions, the tokenizer's maximum."""
    for name in ("max_encoder_position_embeddings", "max_position_embeddings"):
        if positions := getattr(model.config, name, None):
            return positions
    return min(tokenizer.model_max_length, 1024)
