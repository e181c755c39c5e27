"""Which of a repository's files a model needs: pure functions on names, for a hub listing and a folder alike.

A transformers model keeps everything in the root; a diffusers pipeline has a folder a component, all
named in `model_index.json`. Either way one weight format is enough, and repositories hold up to six.

DALL·E mini exists in Flax alone, and the decoder of its pictures in a repository of its own: its companion.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_SMALL = (".json", ".txt", ".model", ".jinja", ".bpe")
"""Configs, vocabularies, merges, sentencepiece models, chat templates."""

_WEIGHTS = (
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin",
    "diffusion_pytorch_model.bin",
)
"""Best first. TensorFlow, ONNX and single-file checkpoints are never read."""

FLAX_WEIGHTS = "flax_model.msgpack"
"""Read of those models alone that were published in no other format."""

_COMPANIONS = {"dallebart": "dalle-mini/vqgan_imagenet_f16_16384"}
"""Which repository a model needs beside its own, by the `model_type` of its `config.json`."""

_SHARD_NUMBER = re.compile(r"-\d{5}-of-(\d{5})\.")
_OTHER_INDEX = (".index.json", ".index.fp16.json")


def wanted_files(names: Iterable[str], components: Collection[str] = (), *, flax: bool = False) -> list[str]:
    """The names that loading reads, sorted: settings, tokenizer, and weights in one format.

    `components` are the folders of a diffusers pipeline; without them the model lies in the root. `flax` tells that
    its weights are read from a Flax checkpoint.
    """
    names = set(names)
    folders = ("", *(f"{component}/" for component in components)) if components else ("",)
    wanted = {name for folder in folders for name in _small_files(names, folder)}
    for folder in folders:
        wanted |= names & {FLAX_WEIGHTS} if flax else _weights(names, folder)
    return sorted(wanted)


def is_complete(names: Iterable[str], components: Collection[str] = (), *, flax: bool = False) -> bool:
    """Whether `names` hold a model that can be loaded, every shard and component included."""
    names = set(names)
    if flax:
        return names.issuperset({"config.json", FLAX_WEIGHTS})
    if not components:
        return "config.json" in names and _has_all_weights(names, "")
    return all(_has_component(names, f"{component}/") for component in components)


def components_of(model_index: Mapping[str, Any]) -> list[str]:
    """The folders that a `model_index.json` names; a component that is switched off reads `[null, null]`."""
    return sorted(name for name, kind in model_index.items() if isinstance(kind, list) and all(kind))


def is_flax(config: Mapping[str, Any]) -> bool:
    """Whether a `config.json` is that of DALL·E mini, or of a VQGAN, which decodes its pictures."""
    return companion_of(config) is not None or "n_embed" in config


def companion_of(config: Mapping[str, Any]) -> str | None:
    """The repository that a model with this `config.json` needs beside its own."""
    return _COMPANIONS.get(config.get("model_type", ""))


def _small_files(names: set[str], folder: str) -> set[str]:
    """Settings directly in `folder`; the index of a weight format counts as weights."""
    here = {name for name in names if name.startswith(folder) and "/" not in name[len(folder) :]}
    return {name for name in here if name.endswith(_SMALL) and not name.endswith(_OTHER_INDEX)}


def _weights(names: set[str], folder: str) -> set[str]:
    """The files of the best format that is there: one file, or an index with its shards."""
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
    """A model has a `config.json` and weights; a scheduler or a tokenizer has settings of another name."""
    if f"{folder}config.json" in names:
        return _has_all_weights(names, folder)
    return bool(_small_files(names, folder))
