"""Repositories that bring Python code of their own. It is never run: it could do anything on the bot's machine.

A model whose type transformers knows is loaded with the code of transformers, even if its repository has code too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.hub import CONFIG, INDEX, read_settings
from inference.pipelines.library_names import exported_names, has_submodule, known_model_types
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

_TOKENIZER_CONFIG = "tokenizer_config.json"
_LIBRARIES = ("diffusers", "transformers")


def require_library_code(spec: ModelSpec, folder: Path) -> None:
    """Raise ModelUnavailable if the model in `folder` can't be loaded without code of its own."""
    config, index = read_settings(spec, folder, CONFIG), read_settings(spec, folder, INDEX)
    tokenizer = read_settings(spec, folder, _TOKENIZER_CONFIG)
    if _has_own_model(config) or _has_own_tokenizer(tokenizer, config) or _has_own_pipeline(index):
        raise ModelUnavailable(
            "{name} comes with its own program code, which is not run here. "
            "The bot's operator has to pick a model that transformers or diffusers can load by themselves.",
            name=spec.name,
        )


def _has_own_model(config: Mapping[str, Any]) -> bool:
    return "auto_map" in config and str(config.get("model_type")) not in known_model_types()


def _has_own_tokenizer(settings: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Return whether transformers knows neither the class of the tokenizer nor one for this type of model."""
    own = settings.get("auto_map")
    if not own or (isinstance(own, dict) and "AutoTokenizer" not in own):
        return False
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES, tokenizer_class_from_name

    if str(config.get("model_type")) in TOKENIZER_MAPPING_NAMES:
        return False
    name = str(settings.get("tokenizer_class") or "").removesuffix("Fast")
    return not name or not (tokenizer_class_from_name(name) or tokenizer_class_from_name(f"{name}Fast"))


def _has_own_pipeline(index: Mapping[str, Any]) -> bool:
    """Return whether a diffusers pipeline, or one of its components, is a class in a file of the repository.

    Components are a list of module and class. A module that is in no library is a file.
    """
    pipeline = index.get("_class_name")
    if isinstance(pipeline, str) and pipeline not in exported_names("diffusers"):
        return True
    return any(
        isinstance(entry, list) and entry and isinstance(entry[0], str) and not _is_library_module(entry[0])
        for entry in index.values()
    )


def _is_library_module(name: str) -> bool:
    """Return whether a component's module is a library, or one of the pipelines inside diffusers."""
    if name.split(".")[0] in _LIBRARIES or name == "onnxruntime.training":
        return True
    return name.isidentifier() and has_submodule("diffusers.pipelines", name)
