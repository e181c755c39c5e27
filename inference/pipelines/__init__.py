"""One family of models a file; `load` picks the family from the task and the model's own config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.errors import ModelUnavailable
from inference.pipelines.base import Batch, Job, Pipeline, run_each, translated
from inference.types import ModelSpec

if TYPE_CHECKING:
    from inference.devices import Placement

__all__ = ["Batch", "Job", "Pipeline", "family", "load", "run_each", "translated"]


def family(spec: ModelSpec, folder: Path) -> type[Pipeline]:
    """The class that runs the model in `folder` for the spec's task; raises ModelUnavailable if none does.

    Families are imported here, not at the top, since each pulls its share of torch and transformers.
    """
    if spec.task == "imagine" and _config(folder).get("model_type") == "dallebart":
        from inference.pipelines.dalle_mini import DalleMini as Family
    elif spec.task == "imagine":
        from inference.pipelines.text_to_image import TextToImage as Family
    elif _is_causal(_config(folder)):
        from inference.pipelines.causal_lm import CausalLM as Family
    elif spec.task == "fill":
        from inference.pipelines.fill_mask import FillMask as Family
    elif spec.task == "mood":
        from inference.pipelines.sentiment import Sentiment as Family
    elif spec.task == "ask":
        from inference.pipelines.question_answering import QuestionAnswering as Family
    elif spec.task == "summarize":
        from inference.pipelines.summarization import Summarization as Family
    elif spec.task == "caption":
        from inference.pipelines.captioning import Captioning as Family
    else:
        raise ModelUnavailable("{name} is not a causal language model, so it can't complete text.", name=spec.name)
    return Family


def load(spec: ModelSpec, folder: Path, placement: Placement) -> Pipeline:
    """Read the model in `folder` onto its device; raises ModelUnavailable with a sentence."""
    with translated(loading=spec.name):
        return family(spec, folder).load(spec, folder, placement)


def _config(folder: Path) -> dict[str, Any]:
    """Empty for a diffusers pipeline, which has a config for each of its parts."""
    file = folder / "config.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _is_causal(config: dict[str, Any]) -> bool:
    """Old GPT-2 and OPT files name no architecture in full; transformers' mapping of the model type decides."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    names = config.get("architectures") or []
    if names:
        return any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names)
    kind = config.get("model_type", "")
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
