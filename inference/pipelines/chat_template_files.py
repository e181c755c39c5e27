"""Whether a model has a chat template, by its files alone: only then can it hold a conversation."""

from __future__ import annotations

from pathlib import Path

from inference.hub import gguf_header, read_settings
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

_TEMPLATE = "chat_template.jinja"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_GGUF_ENTRY = "tokenizer.chat_template"


def require_chat_template(spec: ModelSpec, folder: Path) -> None:
    """Raise ModelUnavailable if the model has no chat template. A GGUF file says so once it is downloaded."""
    if not _has_chat_template(spec, folder):
        raise ModelUnavailable(
            "{name} has no chat template, so it can't hold a conversation. The bot's operator has to list a chat model "
            "under `chat` in config.yaml; many have a name that ends with Instruct.",
            name=spec.name,
        )


def _has_chat_template(spec: ModelSpec, folder: Path) -> bool:
    if header := gguf_header(spec, folder):
        return _GGUF_ENTRY in header.metadata
    if spec.gguf:
        return True
    return (folder / _TEMPLATE).is_file() or bool(read_settings(spec, folder, _TOKENIZER_CONFIG).get("chat_template"))
