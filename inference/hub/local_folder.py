"""What is missing in a folder that the operator set up as a model: in words, for the operator and for people."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from inference.hub.folders import CONFIG, INDEX, FolderLayout, file_names, has_tokenizer, require_undamaged
from inference.hub.repository_files import FLAX_WEIGHTS, checkpoint_file, gguf_file, missing_shards
from inference.hub.unreadable_weights import formats_found
from inference.tasks import PICTURE_CLASSIFIER
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable, Phrase, join_phrases

_MOST_SHARDS = 3
"""Most missing files of sharded weights that are named."""


def is_local(spec: ModelSpec) -> bool:
    """Return whether the model is a folder, not a repository on the hub."""
    return spec.repo.startswith("/")


def check_folder(spec: ModelSpec) -> None:
    """Raise ModelUnavailable if the model is a folder in which a file is missing, or which has a damaged config."""
    if not is_local(spec):
        return
    folder = Path(spec.repo)
    require_undamaged(spec, folder)
    if missing := _missing_parts(folder, spec.file, tokenizer=spec.task not in (PICTURE_CLASSIFIER, "upscale")):
        raise ModelUnavailable(
            "The model {name} is not complete. Missing: {missing}. The bot's operator has to add this, or correct the "
            "model's `repo` in config.yaml.",
            name=spec.name,
            missing=join_phrases(missing, ", "),
        )


def _missing_parts(folder: Path, file: str, *, tokenizer: bool) -> list[str]:
    """Return what the model in `folder` lacks; an empty list if it is complete."""
    if not folder.is_dir():
        return [Phrase("the folder itself")]
    names, layout = file_names(folder), FolderLayout.of(folder, file)
    if INDEX in names:
        return list(_missing_components(names, layout)) if not file else list(_missing_beside(names, layout, file))
    if file.endswith(".safetensors"):
        return [Phrase("{file} and the folders with the settings of its parts, beside the checkpoint", file=INDEX)]
    return list(_missing_files(names, layout, folder, tokenizer=tokenizer))


def _missing_beside(names: set[str], layout: FolderLayout, file: str) -> Generator[str]:
    """Yield what a diffusers pipeline lacks whose weights are in `file`: that, or the settings of its parts."""
    if not (Path(file).is_file() if file.startswith("/") else checkpoint_file(names, file)):
        yield file
    yield from (
        f"{component}/"
        for component in layout.components
        if not any(name.startswith(f"{component}/") for name in names)
    )


def _missing_files(names: set[str], layout: FolderLayout, folder: Path, *, tokenizer: bool) -> Generator[str]:
    """Yield what a transformers model lacks. A GGUF file has all that is needed in itself."""
    if layout.file and not layout.is_complete(names):
        yield layout.file
    if layout.file or (gguf_file(names) and not layout.flax):
        return
    if CONFIG not in names:
        yield CONFIG
    if not layout.is_complete({*names, CONFIG}):
        yield from [FLAX_WEIGHTS] if layout.flax else _missing_weights(names)
    if tokenizer and not has_tokenizer(names, folder):
        yield Phrase("a file of the tokenizer (tokenizer.json, vocab.txt, tokenizer.model or the like)")


def _missing_components(names: set[str], layout: FolderLayout) -> Generator[str]:
    """Yield what the components of a diffusers pipeline lack."""
    if not layout.components:
        yield Phrase("components in {file}", file=INDEX)
    for component in layout.components:
        folder = f"{component}/"
        if FolderLayout((component,)).is_complete(names):
            continue
        if folder + CONFIG in names:
            yield from _missing_weights(names, folder)
        else:
            yield folder


def _missing_weights(names: set[str], folder: str = "") -> Generator[str]:
    """Yield the missing files of sharded weights, or else that there are no weights, and what there is instead."""
    if shards := missing_shards(names, folder):
        yield from shards[:_MOST_SHARDS]
        if len(shards) > _MOST_SHARDS:
            yield "…"
    elif folder:
        yield Phrase("weights in {folder}", folder=folder)
    elif found := formats_found(names):
        yield Phrase("weights (safetensors or pytorch_model.bin; found: {found})", found=found)
    else:
        yield Phrase("weights (safetensors or pytorch_model.bin)")
