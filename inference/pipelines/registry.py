"""The registry of model families. A repository's family is determined by its configuration files alone.

To add a family, write its pipeline in a module of its own and add it to `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inference.hub import CONFIG, INDEX, read_settings
from inference.pipelines.diffusers_families import draws_pictures
from inference.pipelines.editing_families import EDITING_FAMILIES
from inference.pipelines.gguf import gguf_model_type, gguf_summary
from inference.pipelines.library_names import known_model_types, mapping_names
from inference.pipelines.pipeline import Pipeline
from inference.pipelines.torch_import import import_without_pauses
from inference.tasks import PICTURE_CLASSIFIER, TEXT_CLASSIFIER
from inference.types import ModelSpec, Runtime
from inference.types.errors import ModelUnavailable, Phrase, join_phrases

_CAUSAL = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"
_MASKED = "MODEL_FOR_MASKED_LM_MAPPING_NAMES"
_SEQ_TO_SEQ = "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"
_IMAGE_TEXT = "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES"
_NOT_FOR_TEXT = frozenset(
    {"blip", "blip-2", "diffusion_gemma", "evolla", "florence2", "git", "instructblip", "instructblipvideo", "kosmos-2"}
    | {"kosmos-2.5", "paligemma", "pi0", "pix2struct", "pp_formulanet", "t5gemma2", "udop", "vision-encoder-decoder"}
)
"""Types in transformers' mapping of image-text models that do not write texts without a picture."""


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """The model information in `config.json`, or in the `model_index.json` of a diffusers pipeline."""

    model_type: str = ""
    architectures: tuple[str, ...] = ()
    pipeline_class: str = ""

    @classmethod
    def read(cls, spec: ModelSpec, folder: Path) -> RepositoryConfig:
        """Read the files in `folder`. Missing values stay empty.

        Raise ModelUnavailable if a file is damaged, or is a GGUF file of an architecture that is not read here.
        """
        if summary := gguf_summary(spec, folder):
            model_type = gguf_model_type(spec, summary)
            return cls(model_type=model_type, architectures=(str(_mapping(_CAUSAL)[model_type]),))
        config, index = read_settings(spec, folder, CONFIG), read_settings(spec, folder, INDEX)
        return cls(
            model_type=_text(config.get("model_type")),
            architectures=tuple(map(_text, _list(config.get("architectures")))),
            pipeline_class=_text(index.get("_class_name")),
        )

    def __str__(self) -> str:
        return ", ".join(self.architectures) or self.pipeline_class or self.model_type or "?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Models that one pipeline runs.

    `pipeline` is its class, as "module:Class" below `inference.pipelines`. It is imported late, since each one imports
    parts of torch and transformers. `kind` describes the models. A repository belongs to the family if its model type
    is in `model_types`, or in transformers' `mapping` and not `excluded`, and if one of its architectures is the one
    that the mapping names, or ends with one of `architectures`. Older files name no architectures. With `diffusers`, it
    must be a pipeline of diffusers that can draw from text; with `pipeline_classes`, one of these.
    `answers_about_pictures` says whether the models answer questions about a picture, and `reads_text` whether they
    have a tokenizer. With `quantizes` and `offloads`, the options `quantize` and `offload` in config.yaml work. Models
    that are `probed` are run once when they are loaded, to find out how to run them. `pipelines_of_runtimes` are the
    classes for other runtimes than torch, fastest first, and `runtime` is the one in use.
    """

    pipeline: str
    tasks: frozenset[str]
    kind: Phrase
    model_types: frozenset[str] = frozenset()
    mapping: str = ""
    excluded: frozenset[str] = frozenset()
    architectures: tuple[str, ...] = ()
    diffusers: bool = False
    pipeline_classes: frozenset[str] = frozenset()
    answers_about_pictures: bool = False
    quantizes: bool = False
    offloads: bool = False
    pipelines_of_runtimes: Mapping[Runtime, str] = field(default_factory=dict, hash=False)
    runtime: Runtime = "torch"
    probed: bool = False
    reads_text: bool = True

    def accepts(self, config: RepositoryConfig) -> bool:
        """Return whether a model with this config belongs to the family."""
        if self.pipeline_classes:
            return config.pipeline_class in self.pipeline_classes
        if config.pipeline_class or self.diffusers:
            return self.diffusers and draws_pictures(config.pipeline_class)
        if config.model_type in self.model_types:
            return not self.architectures or _ends_with(config.architectures, self.architectures)
        if not self.mapping or config.model_type not in _mapping(self.mapping).keys() - self.excluded:
            return False
        if not config.architectures:
            return _is_causal(config.model_type) == (self.mapping == _CAUSAL)
        named = _mapping(self.mapping)[config.model_type]
        return _ends_with(config.architectures, ((named,) if isinstance(named, str) else named) + self.architectures)

    @property
    def runtimes(self) -> tuple[Runtime, ...]:
        """The runtimes that can run models of this family, fastest first."""
        return (*self.pipelines_of_runtimes, "torch")

    def load_class(self) -> type[Pipeline]:
        """Import and return the pipeline class for the runtime in use."""
        module, _, name = self.pipelines_of_runtimes.get(self.runtime, self.pipeline).partition(":")
        return getattr(import_without_pauses(f"inference.pipelines.{module}"), name)


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
        quantizes=True,
        offloads=True,
        pipelines_of_runtimes={"openvino": "text_to_image:TextToImage"},
    ),
    Family(
        pipeline="text_to_image.editing:ImageEditing",
        tasks=frozenset({"edit"}),
        kind=Phrase("diffusion models that edit in words (InstructPix2Pix, FLUX Kontext, Qwen-Image-Edit and others)"),
        pipeline_classes=frozenset(EDITING_FAMILIES),
        quantizes=True,
        offloads=True,
    ),
    Family(
        pipeline="super_resolution:SuperResolution",
        tasks=frozenset({"upscale"}),
        kind=Phrase("super-resolution models (Swin2SR)"),
        model_types=frozenset({"swin2sr"}),
        architectures=("ForImageSuperResolution",),
        reads_text=False,
    ),
    Family(
        pipeline="fill_mask:FillMask",
        pipelines_of_runtimes={"openvino": "fill_mask:FillMask"},
        tasks=frozenset({"fill"}),
        kind=Phrase("masked language models (BERT, RoBERTa and others)"),
        mapping=_MASKED,
        architectures=("ForMaskedLM", "ForPreTraining", "WithLMHeadModel"),
    ),
    Family(
        pipeline="sentiment_analysis:SentimentAnalysis",
        pipelines_of_runtimes={"openvino": "sentiment_analysis:SentimentAnalysis"},
        tasks=frozenset({"mood"}),
        kind=Phrase("sequence classifiers"),
        mapping="MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
        architectures=("ForSequenceClassification",),
    ),
    Family(
        pipeline="classification:TextClassification",
        pipelines_of_runtimes={"openvino": "classification:TextClassification"},
        tasks=frozenset({TEXT_CLASSIFIER}),
        kind=Phrase("sequence classifiers"),
        mapping="MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
        architectures=("ForSequenceClassification",),
    ),
    Family(
        pipeline="classification:ImageClassification",
        tasks=frozenset({PICTURE_CLASSIFIER}),
        kind=Phrase("image classifiers (ViT, Swin, EfficientNet and others)"),
        mapping="MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES",
        architectures=("ForImageClassification",),
        reads_text=False,
    ),
    Family(
        pipeline="question_answering:QuestionAnswering",
        pipelines_of_runtimes={"openvino": "question_answering:QuestionAnswering"},
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
        quantizes=True,
    ),
    Family(
        pipeline="captioning:Captioning",
        tasks=frozenset({"caption"}),
        kind=Phrase("image captioning models (ViT-GPT2, BLIP)"),
        model_types=frozenset({"blip", "vision-encoder-decoder"}),
        architectures=("VisionEncoderDecoderModel", "BlipForConditionalGeneration"),
    ),
    Family(
        pipeline="image_text_to_text:ImageToText",
        tasks=frozenset({"caption"}),
        kind=Phrase("captioning models with a prompt (Florence-2, GIT)"),
        model_types=frozenset({"florence2", "git"}),
        architectures=("Florence2ForConditionalGeneration", "GitForCausalLM"),
    ),
    Family(
        pipeline="image_text_to_text:ImageToText",
        tasks=frozenset({"caption"}),
        kind=Phrase("models that answer questions about pictures (BLIP-2, PaliGemma)"),
        model_types=frozenset({"blip-2", "paligemma"}),
        architectures=("Blip2ForConditionalGeneration", "PaliGemmaForConditionalGeneration"),
        answers_about_pictures=True,
    ),
    Family(
        pipeline="image_text_to_text:ImageTextToText",
        tasks=frozenset({"chat", "complete", "fill", "summarize", "ask", "mood", "caption"}),
        kind=Phrase("vision language models (SmolVLM, Gemma 3, Qwen-VL, LLaVA and others)"),
        mapping=_IMAGE_TEXT,
        excluded=_NOT_FOR_TEXT,
        answers_about_pictures=True,
        quantizes=True,
        probed=True,
    ),
    Family(
        pipeline="causal_lm.causal_lm:CausalLM",
        tasks=frozenset({"chat", "complete", "fill", "summarize", "ask", "mood"}),
        kind=Phrase("causal language models (GPT-2, OPT, Llama and others)"),
        mapping=_CAUSAL,
        architectures=("ForCausalLM", "LMHeadModel"),
        quantizes=True,
        probed=True,
        pipelines_of_runtimes={"llama.cpp": "llama_cpp:LlamaCpp"},
    ),
)
"""The first family of a task that accepts a model runs it."""


def family_of(spec: ModelSpec, folder: Path) -> Family:
    """Return the family that runs the model in `folder` for the spec's task; raise ModelUnavailable if none does.

    Without a task in the spec, a family of any task will do.
    """
    config = RepositoryConfig.read(spec, folder)
    families = [family for family in FAMILIES if spec.task in family.tasks or not spec.task]
    for family in families:
        if family.accepts(config):
            return family
    if config.model_type and not config.pipeline_class and not _is_known(config.model_type):
        raise ModelUnavailable(
            "{name} is of a type that the installed transformers does not know: {found}. A newer version of the bot "
            "may know it.",
            name=spec.name,
            found=config.model_type,
        )
    kinds = join_phrases(dict.fromkeys(family.kind for family in families), ", ")
    if not spec.task:
        raise ModelUnavailable(
            "{name} is of a kind that no command can use ({found}). Models here are: {kinds}.",
            name=spec.name,
            found=config,
            kinds=kinds,
        )
    slash = spec.task if spec.task in (PICTURE_CLASSIFIER, TEXT_CLASSIFIER) else f"/{spec.task}"
    raise ModelUnavailable(
        "{name} can't serve {command}: it is of another kind ({found}). Models for {command} are: {kinds}.",
        name=spec.name,
        command=Phrase(slash),
        found=config,
        kinds=kinds,
    )


def _ends_with(architectures: tuple[str, ...], endings: tuple[str, ...]) -> bool:
    return not architectures or any(name.endswith(endings) for name in architectures)


def _is_known(model_type: str) -> bool:
    return model_type in known_model_types()


def _is_causal(model_type: str) -> bool:
    """Return whether models of this type are causal language models, if their files do not say it."""
    return model_type in _mapping(_CAUSAL) and not {model_type} & {*_mapping(_MASKED), *_mapping(_SEQ_TO_SEQ)}


def _mapping(name: str) -> Mapping[str, str | tuple[str, ...]]:
    """Return one of transformers' mappings from model types to class names."""
    return mapping_names("transformers.models.auto.modeling_auto", name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
