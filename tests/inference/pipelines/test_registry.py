"""Which family runs a repository's model, by its config alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.pipelines.registry import FAMILIES, family_of
from inference.tasks import TASK_NAMES
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

# The owner's models and others that people use, as their files describe them.
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
    ("imagine", "dallebart", [], "DalleMini"),
    ("imagine", "dallebart", ["DalleBart"], "DalleMini"),
]

REFUSED = [
    ("complete", "bert", ["BertForMaskedLM"]),
    ("complete", "bert", []),
    ("complete", "bart", []),
    ("complete", "t5", ["T5ForConditionalGeneration"]),
    ("complete", "nothing-known", ["NothingForCausalLM"]),
    ("fill", "t5", ["T5ForConditionalGeneration"]),
    ("summarize", "llava", ["LlavaForConditionalGeneration"]),
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
def test_a_model_is_run_by_its_own_family(
    tmp_path: Path, task: str, model_type: str, architectures: list[str], pipeline: str
) -> None:
    spec = ModelSpec(name="it", task=task, repo="org/it")
    family = family_of(spec, repository(tmp_path, model_type, architectures))
    assert family.load_class().__name__ == pipeline


@pytest.mark.parametrize(("task", "model_type", "architectures"), REFUSED)
def test_a_model_of_another_kind_is_refused_with_the_kinds_that_fit(
    tmp_path: Path, task: str, model_type: str, architectures: list[str]
) -> None:
    spec = ModelSpec(name="it", task=task, repo="org/it")
    with pytest.raises(ModelUnavailable, match=f"it can't serve /{task}: it is of another kind") as raised:
        family_of(spec, repository(tmp_path, model_type, architectures))
    assert ", ".join(architectures) or model_type in raised.value.user_message


def test_a_diffusers_pipeline_draws_and_does_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    family = family_of(ModelSpec(name="sd", task="imagine", repo="org/sd"), tmp_path)
    assert family.load_class().__name__ == "TextToImage"
    for task in set(TASK_NAMES) - {"imagine"}:
        with pytest.raises(ModelUnavailable, match="StableDiffusionPipeline"):
            family_of(ModelSpec(name="sd", task=task, repo="org/sd"), tmp_path)


def test_every_task_has_a_family_and_every_family_a_task() -> None:
    assert {task for family in FAMILIES for task in family.tasks} == set(TASK_NAMES)
