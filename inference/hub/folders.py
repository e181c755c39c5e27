"""The content of one folder: a cached repository, complete or not, or a model that the operator put there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inference.hub.gguf_header import GGUFHeader, read_gguf_header
from inference.hub.repository_files import (
    companion_of,
    components_of,
    gguf_file,
    is_complete,
    is_flax,
    settings_files,
    wanted_files,
    weight_files,
)
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable, OperatorStep

INDEX = "model_index.json"
CONFIG = "config.json"

_READ_BY_LIBRARIES = {CONFIG, "generation_config.json", "preprocessor_config.json", "scheduler_config.json"} | {
    f"{name}.json" for name in ("tokenizer", "tokenizer_config", "special_tokens_map", "added_tokens", "vocab")
}
"""Files that hold a JSON object, and about which transformers and diffusers say nothing plain if they are damaged."""

_VOCABULARY = re.compile(
    r"tokenizer(?!_config)|vocab|merges|sentencepiece|spiece|spm|bpe|byte_maps|tekken", re.IGNORECASE
)
"""Every tokenizer has a file with such a name, such as tokenizer.json, vocab.txt or spiece.model …"""
_WITHOUT_VOCABULARY = ("ByT5", "Canine", "Perceiver")
"""… except these."""


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """Information from a repository's own config: the folders of a diffusers pipeline, and whether weights are Flax.

    `file` is the GGUF file in the model's spec, or a pattern for it.
    """

    components: tuple[str, ...] = ()
    flax: bool = False
    file: str = ""

    @classmethod
    def of(cls, folder: Path, file: str = "") -> FolderLayout:
        index, config = _read_json(folder / INDEX), _read_json(folder / CONFIG)
        return cls(tuple(components_of(index)), is_flax(config), file)

    def wanted(self, names: Iterable[str]) -> list[str]:
        return wanted_files(names, self.components, flax=self.flax, file=self.file)

    def settings(self, names: Iterable[str]) -> set[str]:
        return settings_files(names, self.components)

    def weights(self, names: Iterable[str]) -> set[str]:
        return weight_files(names, self.components, flax=self.flax, file=self.file)

    def is_complete(self, names: Iterable[str]) -> bool:
        return is_complete(names, self.components, flax=self.flax, file=self.file)


def file_names(folder: Path) -> set[str]:
    """Return every file below `folder`, with names as on the hub. Broken links are not included."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def loaded_size(folder: Path, file: str = "") -> int:
    """Return the size of the files that loading reads, in bytes."""
    return sum((folder / name).stat().st_size for name in FolderLayout.of(folder, file).wanted(file_names(folder)))


def gguf_in(spec: ModelSpec, folder: Path) -> str:
    """Return the GGUF file in `folder` that loading reads; empty if it reads none."""
    names = file_names(folder)
    return "" if INDEX in names or FolderLayout.of(folder).flax else gguf_file(names, spec.file)


def gguf_header(spec: ModelSpec, folder: Path) -> GGUFHeader | None:
    """Return the header of the GGUF file that loading reads; None if it reads none.

    Raise ModelUnavailable if the file is damaged.
    """
    if not (file := gguf_in(spec, folder)):
        return None
    try:
        return read_gguf_header(folder / file)
    except ValueError:
        raise ModelUnavailable(
            "{name} can't be used, since its file {file} is damaged: it is no complete GGUF file. "
            "The bot's operator has to replace the file, or pick another model.",
            name=spec.name,
            file=file,
        ) from None


def companion_specs(spec: ModelSpec, folder: Path | None) -> dict[str, ModelSpec]:
    """Return the specs of other repositories that the model in `folder` needs, by the field for their folder.

    `companion` is the image decoder (a folder `vqgan` inside has priority) or the decoder for previews, if the operator
    has chosen one, and `upscaler` the model that enlarges its images.
    """
    repo = companion_of(_read_json(folder / CONFIG)) if folder else None
    if folder and repo and (folder / "vqgan").is_dir():
        repo = str(folder / "vqgan")
    repo = repo or spec.preview_decoder
    alone = replace(spec, revision=None, file="", preview_decoder="", upscaler="")
    companions = {"companion": replace(alone, repo=repo)} if repo else {}
    if spec.upscaler:
        companions["upscaler"] = replace(alone, repo=spec.upscaler, task="upscale")
    return companions


def read_settings(spec: ModelSpec, folder: Path, file: str) -> dict[str, Any]:
    """Return the JSON object in one of the model's files; an empty dict if there is no such file.

    Raise ModelUnavailable if the file is damaged.
    """
    try:
        return _read_object(folder / file)
    except ValueError:
        raise _damaged(spec, file) from None


def _damaged(spec: ModelSpec, file: str) -> ModelUnavailable:
    if spec.repo.startswith("/"):
        return ModelUnavailable(
            "{name} can't be used, since its file {file} is damaged: it holds no valid JSON object. "
            "The bot's operator has to replace the file, or pick another model.",
            name=spec.name,
            file=file,
        )
    return ModelUnavailable(
        "{name} can't be used, since its file {file} is damaged: it holds no valid JSON object. {step}",
        name=spec.name,
        file=file,
        step=OperatorStep(
            "The bot's operator can delete it with `.venv/bin/hf cache rm model/{repo}`, and fetch it again with "
            "`.venv/bin/python -m inference download {repo}`. If that does not help, its makers have to repair it.",
            repo=spec.repo,
        ),
    )


def require_settings(spec: ModelSpec, folder: Path, *, tokenizer: bool = True) -> None:
    """Raise ModelUnavailable if a settings file that a library will read is damaged.

    With `tokenizer`, raise it also if there is none.
    """
    names = file_names(folder)
    for file in sorted(FolderLayout.of(folder).settings(names)):
        if file.rsplit("/", 1)[-1] in _READ_BY_LIBRARIES:
            read_settings(spec, folder, file)
    if tokenizer and INDEX not in names and not has_tokenizer(names, folder):
        raise ModelUnavailable(
            "{name} has no tokenizer that can be read here: a file like tokenizer.json, vocab.txt or tokenizer.model "
            "is missing. The bot's operator has to pick another model, or to ask its makers for the file.",
            name=spec.name,
        )


def has_tokenizer(names: Iterable[str], folder: Path) -> bool:
    """Return whether one of the files has a vocabulary, or the tokenizer needs none since its tokens are bytes."""
    if any(_VOCABULARY.search(name) for name in names):
        return True
    return str(_read_json(folder / "tokenizer_config.json").get("tokenizer_class")).startswith(_WITHOUT_VOCABULARY)


def require_undamaged(spec: ModelSpec, folder: Path) -> None:
    """Raise ModelUnavailable if the files that determine which others are needed are damaged."""
    for file in (INDEX, CONFIG):
        read_settings(spec, folder, file)


def _read_json(file: Path) -> dict[str, Any]:
    """Return the content of a JSON file; an empty dict if it is missing or damaged."""
    try:
        return _read_object(file)
    except ValueError:
        return {}


def _read_object(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file, an empty dict if there is no file. Raise ValueError if it is damaged."""
    if not file.is_file():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds no JSON object")
    return content
