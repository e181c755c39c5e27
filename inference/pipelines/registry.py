"""The registry of model families. A repository's family is determined by its configuration files alone.

To add a family, write its pipeline in a module of its own and add it to `FAMILIES`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from inference.pipelines.pipeline import Pipeline
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable, Phrase, join_phrases

_CAUSAL = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"
_MASKED = "MODEL_FOR_MASKED_LM_MAPPING_NAMES"
_SEQ_TO_SEQ = "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """The model information in `config.json`, or in the `model_index.json` of a diffusers pipeline."""

    model_type: str = ""
    architectures: tuple[str, ...] = ()
    pipeline_class: str = ""

    @classmethod
    def read(cls, folder: Path) -> RepositoryConfig:
        """Read the files in `folder`. Missing values stay empty."""
        config, index = _read_json(folder / "config.json"), _read_json(folder / "model_index.json")
        return cls(
            model_type=config.get("model_type", ""),
            architectures=tuple(config.get("architectures") or ()),
            pipeline_class=index.get("_class_name", ""),
        )

    def __str__(self) -> str:
        return ", ".join(self.architectures) or self.pipeline_class or self.model_type or "?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Models that one pipeline runs.

    `pipeline` is its class, as "module:Class" below `inference.pipelines`. It is imported late, since each one imports
    parts of torch and transformers. `kind` describes the models. A repository belongs to the family if its model type
    is in `model_types` or in transformers' `mapping`, and if one of its architectures is the one that the mapping
    names, or ends with one of `architectures`. Older files name no architectures. With `diffusers`, it must be a
    diffusers pipeline.
    """

    pipeline: str
    tasks: frozenset[str]
    kind: Phrase
    model_types: frozenset[str] = frozenset()
    mapping: str = ""
    architectures: tuple[str, ...] = ()
    diffusers: bool = False

    def accepts(self, config: RepositoryConfig) -> bool:
        """Return whether a model with this config belongs to the family."""
        if config.pipeline_class or self.diffusers:
            return self.diffusers and bool(config.pipeline_class)
        if config.model_type in self.model_types:
            return not self.architectures or _ends_with(config.architectures, self.architectures)
        if not self.mapping or config.model_type not in _mapping(self.mapping):
            return False
        if not config.architectures:
            return _is_causal(config.model_type) == (self.mapping == _CAUSAL)
        named = _mapping(self.mapping)[config.model_type]
        return _ends_with(config.architectures, ((named,) if isinstance(named, str) else named) + self.architectures)

    def load_class(self) -> type[Pipeline]:
        """Import and return the pipeline class."""
        module, _, name = self.pipeline.partition(":")
        return getattr(import_module(f"inference.pipelines.{module}"), name)


FAMILIES: tuple[Family, ...] = (
    Family(
        pipeline="dalle_mini:DalleMini",
        tasks=frozenset({"imagine"}),
        kind=Phrase("DALL·E mini"),
        model_types=frozenset({"dallebart"}),
    ),
    Family(
        pipeline="text_to_image:TextToImage",
        tasks=frozenset({"imagine"}),
        kind=Phrase("diffusion models of diffusers"),
        diffusers=True,
    ),
    Family(
        pipeline="fill_mask:FillMask",
        tasks=frozenset({"fill"}),
        kind=Phrase("masked language models (BERT, RoBERTa and others)"),
        mapping=_MASKED,
        architectures=("ForMaskedLM", "ForPreTraining", "WithLMHeadModel"),
    ),
    Family(
        pipeline="sentiment_analysis:SentimentAnalysis",
        tasks=frozenset({"mood"}),
        kind=Phrase("sequence classifiers"),
        mapping="MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
        architectures=("ForSequenceClassification",),
    ),
    Family(
        pipeline="question_answering:QuestionAnswering",
        tasks=frozenset({"ask"}),
        kind=Phrase("models for extractive question answering"),
        mapping="MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
        architectures=("ForQuestionAnswering",),
    ),
    Family(
        pipeline="summarization:Summarization",
        tasks=frozenset({"summarize"}),
        kind=Phrase("encoder-decoder models (BART, T5, Pegasus and others)"),
        mapping=_SEQ_TO_SEQ,
        architectures=("ForConditionalGeneration", "WithLMHeadModel"),
    ),
    Family(
        pipeline="captioning:Captioning",
        tasks=frozenset({"caption"}),
        kind=Phrase("image captioning models (ViT-GPT2, BLIP)"),
        model_types=frozenset({"blip", "vision-encoder-decoder"}),
        architectures=("VisionEncoderDecoderModel", "BlipForConditionalGeneration"),
    ),
    Family(
        pipeline="causal_lm:CausalLM",
        tasks=frozenset({"complete", "fill", "summarize", "ask", "mood"}),
        kind=Phrase("causal language models (GPT-2, OPT, Llama and others)"),
        mapping=_CAUSAL,
        architectures=("ForCausalLM", "LMHeadModel"),
    ),
)
"""The first family of a task that accepts a model runs it."""


def family_of(spec: ModelSpec, folder: Path) -> Family:
    """Return the family that runs the model in `folder` for the spec's task; raise ModelUnavailable if none does."""
    config = RepositoryConfig.read(folder)
    families = [family for family in FAMILIES if spec.task in family.tasks]
    for family in families:
        if family.accepts(config):
            return family
    slash = f"/{spec.task}"
    raise ModelUnavailable(
        "{name} can't serve {command}: it is of another kind ({found}). Models for {command} are: {kinds}.",
        name=spec.name,
        command=Phrase(slash),
        found=config,
        kinds=join_phrases([family.kind for family in families], ", "),
    )


def _ends_with(architectures: tuple[str, ...], endings: tuple[str, ...]) -> bool:
    return not architectures or any(name.endswith(endings) for name in architectures)


def _is_causal(model_type: str) -> bool:
    """Return whether models of this type are causal language models, if their files do not say it."""
    return model_type in _mapping(_CAUSAL) and not {model_type} & {*_mapping(_MASKED), *_mapping(_SEQ_TO_SEQ)}


def _mapping(name: str) -> Mapping[str, str | tuple[str, ...]]:
    """Return one of transformers' mappings from model types to class names."""
    from transformers.models.auto import modeling_auto

    return getattr(modeling_auto, name)


def _read_json(file: Path) -> dict[str, Any]:
    """Return the content of a JSON file, or an empty dict if it does not exist."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
