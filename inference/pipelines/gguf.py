"""GGUF files, the format of llama.cpp: which of them hold a language model that transformers reads.

A file names its architecture in llama.cpp's words, and has its config, its tokenizer and its chat template inside.
"""

from __future__ import annotations

from pathlib import Path

from inference.hub import gguf_header
from inference.pipelines.library_names import mapping_names
from inference.types import GGUFSummary, ModelSpec
from inference.types.errors import ModelUnavailable

_MODEL_TYPES = {
    "gemma3": "gemma3_text", "gemma4": "gemma4_text", "gpt-oss": "gpt_oss", "minimax-m2": "minimax_m2",
    "qwen2moe": "qwen2_moe", "qwen35": "qwen3_5_text", "qwen35moe": "qwen3_5_moe_text", "qwen3moe": "qwen3_moe",
}  # fmt: skip
"""The types in transformers of architectures that have another name in llama.cpp."""

_READ_BY_TRANSFORMERS = (
    ("transformers.integrations.ggml", "GGUF_CONFIG_MAPPING"),
    ("transformers.integrations.gguf.gguf_conversion_mapping", "GGUF_ARCHS"),
)
"""The modules and names of the mappings from the architectures that transformers reads."""


def gguf_summary(spec: ModelSpec, folder: Path) -> GGUFSummary | None:
    """Return what the GGUF file in `folder` is, or what the hub says about it; None for a model in other files."""
    header = gguf_header(spec, folder)
    return header.summary if header else spec.gguf


def gguf_model_type(spec: ModelSpec, summary: GGUFSummary) -> str:
    """Return the type of the model in transformers' words. Raise ModelUnavailable if transformers can't read it."""
    architecture = summary.architecture
    model_type = _MODEL_TYPES.get(architecture, architecture)
    known = {name for module, mapping in _READ_BY_TRANSFORMERS for name in mapping_names(module, mapping)}
    causal = mapping_names("transformers.models.auto.modeling_auto", "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES")
    if not known & {architecture, model_type} or model_type not in causal:
        raise ModelUnavailable(
            "{name} is a GGUF file of the architecture {architecture}, which is not read here. "
            "The bot's operator has to pick another version of the model.",
            name=spec.name,
            architecture=architecture or "?",
        )
    return model_type
