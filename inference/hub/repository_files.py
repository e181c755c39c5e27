"""Selection of the files of a repository that a model needs. Works on file names, from a hub listing or a folder.

A transformers model has all files in the root. A diffusers pipeline has one folder per component, listed in
`model_index.json`. One weight format is enough, while repositories have up to six.

DALL·E mini only exists in Flax, and its image decoder is in another repository, its companion.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_SMALL_FILE_SUFFIXES = (".json", ".txt", ".model", ".jinja", ".bpe")
"""Configs, vocabularies, merges, sentencepiece models, chat templates."""

_WEIGHTS = (
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin",
    "diffusion_pytorch_model.bin",
)
"""Best first. TensorFlow, ONNX and single-file checkpoints are never read."""

FLAX_WEIGHTS = "flax_model.msgpack"
"""Only read for models that were published in no other format."""

_COMPANIONS = {"dallebart": "dalle-mini/vqgan_imagenet_f16_16384"}
"""Companion repositories by the `model_type` in `config.json`."""

_SHARD_NUMBER = re.compile(r"-\d{5}-of-(\d{5})\.")
_INDEX_SUFFIXES = (".index.json", ".index.fp16.json")


def wanted_files(names: Iterable[str], components: Collection[str] = (), *, flax: bool = False) -> list[str]:
    """Return the sorted names of the files that loading reads: settings, tokenizer, and weights in one format.

    `components` are the folders of a diffusers pipeline. Without them the model is in the root. `flax` selects the
    weights of a Flax checkpoint.
    """
    names = set(names)
    folders = ("", *(f"{component}/" for component in components)) if components else ("",)
    wanted = {name for folder in folders for name in _small_files(names, folder)}
    for folder in folders:
        wanted |= names & {FLAX_WEIGHTS} if flax else _weights(names, folder)
    return sorted(wanted)


def is_complete(names: Iterable[str], components: Collection[str] = (), *, flax: bool = False) -> bool:
    """Return whether `names` are a complete model that can be loaded, with all shards and components."""
    names = set(names)
    if flax:
        return names.issuperset({"config.json", FLAX_WEIGHTS})
    if not components:
        return "config.json" in names and _has_all_weights(names, "")
    return all(_has_component(names, f"{component}/") for component in components)


def components_of(model_index: Mapping[str, Any]) -> list[str]:
    """Return the component folders in `model_index.json`. Disabled components are `[null, null]` there."""
    return sorted(name for name, entry in model_index.items() if isinstance(entry, list) and all(entry))


def is_flax(config: Mapping[str, Any]) -> bool:
    """Return whether `config.json` is that of DALL·E mini, or of a VQGAN, its image decoder."""
    return companion_of(config) is not None or "n_embed" in config


def companion_of(config: Mapping[str, Any]) -> str | None:
    """Return the companion repository of a model with this `config.json`; None if it needs none."""
    return _COMPANIONS.get(config.get("model_type", ""))


def _small_files(names: set[str], folder: str) -> set[str]:
    """Return settings files directly in `folder`. The index of a weight format is not one of them."""
    in_folder = {name for name in names if name.startswith(folder) and "/" not in name[len(folder) :]}
    return {name for name in in_folder if name.endswith(_SMALL_FILE_SUFFIXES) and not name.endswith(_INDEX_SUFFIXES)}


def _weights(names: set[str], folder: str) -> set[str]:
    """Return the files of the best available format: one file, or an index with its shards."""
    for file in _WEIGHTS:
        if folder + file in names:
            return {folder + file}
        index = f"{folder}{file}.index.json"
        if index in names:
            stem, extension = file.rsplit(".", 1)
            shard = re.compile(re.escape(folder + stem) + r"-\d{5}-of-\d{5}\." + extension)
            return {index, *filter(shard.fullmatch, names)}
    return set()


def _has_all_weights(names: set[str], folder: str) -> bool:
    weights = _weights(names, folder)
    counts = [int(match[1]) for match in map(_SHARD_NUMBER.search, weights) if match]
    indexed = any(name.endswith(".index.json") for name in weights)
    return len(counts) == max(counts, default=-1) if indexed else bool(weights)


def _has_component(names: set[str], folder: str) -> bool:
    """A model needs `config.json` and weights. Schedulers and tokenizers have other settings files."""
    if f"{folder}config.json" in names:
        return _has_all_weights(names, folder)
    return bool(_small_files(names, folder))
