"""Test which model family is chosen from the config of a repository."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from inference.pipelines.registry import FAMILIES, family_of
from inference.tasks import CLASSIFIERS, TASK_NAMES
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

# (task, model_type, architectures, pipeline class) of common models.
SERVED = [
    ("complete", "gpt2", ["GPT2LMHeadModel"], "CausalLM"),
    ("complete", "opt", ["OPTForCausalLM"], "CausalLM"),
    ("complete", "llama", ["LlamaForCausalLM"], "CausalLM"),
    ("complete", "gpt2", [], "CausalLM"),
    ("complete", "bart", ["BartForCausalLM"], "CausalLM"),
    ("fill", "bert", ["BertForMaskedLM"], "FillMask"),
    ("fill", "bert", ["BertForPreTraining"], "FillMask"),
    ("fill", "bert", [], "FillMask"),
    ("fill", "xlm", ["XLMWithLMHeadModel"], "FillMask"),
    ("fill", "roberta", ["RobertaForCausalLM"], "CausalLM"),
    ("fill", "gpt2", ["GPT2LMHeadModel"], "CausalLM"),
    ("summarize", "bart", ["BartForConditionalGeneration"], "Summarization"),
    ("summarize", "bart", [], "Summarization"),
    ("summarize", "pegasus", [], "Summarization"),
    ("summarize", "t5", ["T5ForConditionalGeneration"], "Summarization"),
    ("summarize", "t5", ["T5WithLMHeadModel"], "Summarization"),
    ("summarize", "marian", ["MarianMTModel"], "Summarization"),
    ("summarize", "encoder-decoder", ["EncoderDecoderModel"], "Summarization"),
    ("summarize", "gpt2", ["GPT2LMHeadModel"], "CausalLM"),
    ("summarize", "llava", ["LlavaForConditionalGeneration"], "ImageTextToText"),
    ("complete", "gemma3", ["Gemma3ForConditionalGeneration"], "ImageTextToText"),
    ("complete", "qwen3_5", ["Qwen3_5ForConditionalGeneration"], "ImageTextToText"),
    ("complete", "mistral3", ["Mistral3ForConditionalGeneration"], "ImageTextToText"),
    ("ask", "qwen2_5_vl", ["Qwen2_5_VLForConditionalGeneration"], "ImageTextToText"),
    ("ask", "roberta", ["RobertaForQuestionAnswering"], "QuestionAnswering"),
    ("ask", "distilbert", [], "QuestionAnswering"),
    ("ask", "gpt2", ["GPT2LMHeadModel"], "CausalLM"),
    ("ask", "gpt2", [], "CausalLM"),
    ("mood", "distilbert", ["DistilBertForSequenceClassification"], "SentimentAnalysis"),
    ("mood", "gpt2", ["GPT2ForSequenceClassification"], "SentimentAnalysis"),
    ("mood", "gpt2", ["GPT2LMHeadModel"], "CausalLM"),
    ("caption", "vision-encoder-decoder", ["VisionEncoderDecoderModel"], "Captioning"),
    ("caption", "blip", ["BlipForConditionalGeneration"], "Captioning"),
    ("caption", "blip", [], "Captioning"),
    ("caption", "smolvlm", ["SmolVLMForConditionalGeneration"], "ImageTextToText"),
    ("caption", "qwen2_5_vl", ["Qwen2_5_VLForConditionalGeneration"], "ImageTextToText"),
    ("caption", "florence2", ["Florence2ForConditionalGeneration"], "ImageToText"),
    ("caption", "git", ["GitForCausalLM"], "ImageToText"),
    ("caption", "blip-2", ["Blip2ForConditionalGeneration"], "ImageToText"),
    ("caption", "paligemma", ["PaliGemmaForConditionalGeneration"], "ImageToText"),
    ("summarize", "llava", ["LlavaForConditionalGeneration"], "ImageTextToText"),
    ("complete", "gemma3", ["Gemma3ForConditionalGeneration"], "ImageTextToText"),
    ("complete", "gemma3", ["Gemma3ForCausalLM"], "CausalLM"),
    ("imagine", "dallebart", [], "DalleMini"),
    ("imagine", "dallebart", ["DalleBart"], "DalleMini"),
]

REFUSED = [
    ("complete", "bert", ["BertForMaskedLM"]),
    ("complete", "bert", []),
    ("complete", "bart", []),
    ("complete", "t5", ["T5ForConditionalGeneration"]),
    ("fill", "t5", ["T5ForConditionalGeneration"]),
    ("summarize", "florence2", ["Florence2ForConditionalGeneration"]),
    ("complete", "paligemma", ["PaliGemmaForConditionalGeneration"]),
    ("summarize", "blip-2", ["Blip2ForConditionalGeneration"]),
    ("ask", "paligemma", ["PaliGemmaForConditionalGeneration"]),
    ("caption", "llama", ["LlamaForCausalLM"]),
    ("caption", "gemma3", ["Gemma3ForCausalLM"]),
    ("summarize", "whisper", ["WhisperForConditionalGeneration"]),
    ("ask", "bert", ["BertForMaskedLM"]),
    ("ask", "blip", ["BlipForQuestionAnswering"]),
    ("mood", "bert", ["BertForMaskedLM"]),
    ("caption", "blip", ["BlipForQuestionAnswering"]),
    ("imagine", "bert", ["BertForMaskedLM"]),
]


def repository(folder: Path, model_type: str, architectures: list[str]) -> Path:
    config: dict[str, Any] = {"model_type": model_type}
    if architectures:
        config["architectures"] = architectures
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(("task", "model_type", "architectures", "pipeline"), SERVED)
def test_a_model_is_assigned_to_its_family(
    tmp_path: Path, task: str, model_type: str, architectures: list[str], pipeline: str
) -> None:
    spec = ModelSpec(name="it", task=task, repo="org/it")
    family = family_of(spec, repository(tmp_path, model_type, architectures))
    assert family.load_class().__name__ == pipeline


@pytest.mark.parametrize(("task", "model_type", "architectures"), REFUSED)
def test_a_model_that_does_not_fit_the_task_is_refused_with_its_type(
    tmp_path: Path, task: str, model_type: str, architectures: list[str]
) -> None:
    spec = ModelSpec(name="it", task=task, repo="org/it")
    with pytest.raises(ModelUnavailable, match=f"it can't serve /{task}: it is of another kind") as raised:
        family_of(spec, repository(tmp_path, model_type, architectures))
    assert ", ".join(architectures) or model_type in raised.value.user_message


def test_a_diffusers_pipeline_only_serves_imagine(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    family = family_of(ModelSpec(name="sd", task="imagine", repo="org/sd"), tmp_path)
    assert family.load_class().__name__ == "TextToImage"
    for task in set(TASK_NAMES) - {"imagine"}:
        with pytest.raises(ModelUnavailable, match="StableDiffusionPipeline"):
            family_of(ModelSpec(name="sd", task=task, repo="org/sd"), tmp_path)


@pytest.mark.parametrize(
    ("pipeline_class", "tasks"),
    [
        ("StableDiffusionInstructPix2PixPipeline", {"edit"}),
        ("QwenImageEditPlusPipeline", {"edit"}),
        ("FluxKontextPipeline", {"edit", "imagine"}),
        ("StableDiffusionXLPipeline", {"imagine"}),
    ],
)
def test_models_made_for_edits_serve_edit_and_some_of_them_also_draw(
    tmp_path: Path, pipeline_class: str, tasks: set[str]
) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": pipeline_class}))
    served: set[str] = set()
    for task in ("edit", "imagine"):
        with contextlib.suppress(ModelUnavailable):
            family_of(ModelSpec(name="it", task=task, repo="org/it"), tmp_path)
            served.add(task)
    assert served == tasks


def test_the_families_cover_exactly_the_tasks() -> None:
    assert {task for family in FAMILIES for task in family.tasks} == {
        *TASK_NAMES,
        *(task.name for task in CLASSIFIERS),
    }


@pytest.mark.parametrize(
    ("model_type", "architecture", "answers"),
    [
        ("smolvlm", "SmolVLMForConditionalGeneration", True),
        ("blip-2", "Blip2ForConditionalGeneration", True),
        ("paligemma", "PaliGemmaForConditionalGeneration", True),
        ("florence2", "Florence2ForConditionalGeneration", False),
        ("git", "GitForCausalLM", False),
        ("blip", "BlipForConditionalGeneration", False),
        ("vision-encoder-decoder", "VisionEncoderDecoderModel", False),
    ],
)
def test_the_family_says_whether_its_models_answer_questions_about_pictures(
    tmp_path: Path, model_type: str, architecture: str, answers: bool
) -> None:
    spec = ModelSpec(name="it", task="caption", repo="org/it")
    assert family_of(spec, repository(tmp_path, model_type, [architecture])).answers_about_pictures == answers


def test_a_type_that_transformers_does_not_know_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "lama9", "architectures": ["Lama9ForCausalLM"]}')
    with pytest.raises(ModelUnavailable, match="transformers does not know: lama9"):
        family_of(ModelSpec(name="it", task="complete", repo="org/it"), tmp_path)


@pytest.mark.parametrize(
    "pipeline_class",
    [
        "FluxPipeline",
        "Flux2KleinPipeline",
        "ZImagePipeline",
        "QwenImagePipeline",
        "SanaPipeline",
        "PixArtSigmaPipeline",
        "HiDreamImagePipeline",
        "BriaPipeline",
        "StableDiffusionInpaintPipeline",
        "StableDiffusionXLInpaintPipeline",
    ],
)
def test_families_of_diffusers_that_draw_are_accepted(tmp_path: Path, pipeline_class: str) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": pipeline_class}))
    family = family_of(ModelSpec(name="tiny", task="imagine", repo=str(tmp_path)), tmp_path)
    assert family.pipeline == "text_to_image:TextToImage"


@pytest.mark.parametrize(
    "pipeline_class",
    [
        "StableDiffusionUpscalePipeline",
        "StableDiffusionLatentUpscalePipeline",
        "FluxControlPipeline",
        "HeliosPipeline",
        "StableCascadeDecoderPipeline",
        "KandinskyV22Pipeline",
        "StableDiffusionControlNetPipeline",
        "GlmImagePipeline",
    ],
)
def test_pipelines_that_need_more_than_a_request_has_are_refused(tmp_path: Path, pipeline_class: str) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": pipeline_class}))
    with pytest.raises(ModelUnavailable, match=pipeline_class):
        family_of(ModelSpec(name="tiny", task="imagine", repo=str(tmp_path)), tmp_path)
