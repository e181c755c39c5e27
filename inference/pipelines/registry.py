"""The registry of model families: which architectures each serves, told from the repository's config alone.

To add a family, write its pipeline in a file of its own, and list it in `FAMILIES`.
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


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """What `config.json`, or a diffusers pipeline's `model_index.json`, says about a repository's model."""

    model_type: str = ""
    architectures: tuple[str, ...] = ()
    pipeline_class: str = ""

    @classmethod
    def read(cls, folder: Path) -> RepositoryConfig:
        """Read the files in `folder`; what is missing stays empty."""
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

    `pipeline` is its class, as "module:Class" below `inference.pipelines`: imported late, since each pulls its share of
    torch and transformers. `kind` says in words what the models are. A repository belongs to the family by its
    `model_types`; or if one of its architectures ends with one of `architectures`, or, where it names none, as older
    files do, if its model type is in transformers' mapping of that name; or, for `diffusers`, by being a pipeline.
    """

    pipeline: str
    tasks: frozenset[str]
    kind: Phrase
    model_types: frozenset[str] = frozenset()
    architectures: tuple[str, ...] = ()
    mapping: str = ""
    diffusers: bool = False

    def accepts(self, config: RepositoryConfig) -> bool:
        """Return whether a model with this config is one of the family."""
        if config.pipeline_class or self.diffusers:
            return self.diffusers and bool(config.pipeline_class)
        if config.model_type in self.model_types:
            return True
        if config.architectures:
            return any(name.endswith(self.architectures) for name in config.architectures)
        return config.model_type in _mapping(self.mapping)

    def load_class(self) -> type[Pipeline]:
        """Import the pipeline's module, and return its class."""
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
        pipeline="causal_lm:CausalLM",
        tasks=frozenset({"complete", "fill", "summarize", "ask", "mood"}),
        kind=Phrase("causal language models (GPT-2, OPT, Llama and others)"),
        architectures=("ForCausalLM", "LMHeadModel"),
        mapping="MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    ),
    Family(
        pipeline="fill_mask:FillMask",
        tasks=frozenset({"fill"}),
        kind=Phrase("masked language models (BERT, RoBERTa and others)"),
        architectures=("ForMaskedLM",),
        mapping="MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    ),
    Family(
        pipeline="sentiment_analysis:SentimentAnalysis",
        tasks=frozenset({"mood"}),
        kind=Phrase("sequence classifiers"),
        architectures=("ForSequenceClassification",),
    ),
    Family(
        pipeline="question_answering:QuestionAnswering",
        tasks=frozenset({"ask"}),
        kind=Phrase("models for extractive question answering"),
        architectures=("ForQuestionAnswering",),
    ),
    Family(
        pipeline="summarization:Summarization",
        tasks=frozenset({"summarize"}),
        kind=Phrase("encoder-decoder models (BART, T5, Pegasus and others)"),
        architectures=("ForConditionalGeneration",),
        mapping="MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    ),
    Family(
        pipeline="captioning:Captioning",
        tasks=frozenset({"caption"}),
        kind=Phrase("image captioning models (ViT-GPT2, BLIP)"),
        model_types=frozenset({"blip"}),
        architectures=("VisionEncoderDecoderModel",),
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


def _mapping(name: str) -> Mapping[str, str]:
    """One of transformers' mappings from model types to classes; empty for no name."""
    from transformers.models.auto import modeling_auto

    mapping: Mapping[str, str] = getattr(modeling_auto, name) if name else {}
    return mapping


def _read_json(file: Path) -> dict[str, Any]:
    """Empty for a file that is not there."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
