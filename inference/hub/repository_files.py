"""Selection of the files of a repository that a model needs. Works on file names, from a hub listing or a folder.

A transformers model has all files in the root. A diffusers pipeline has one folder per component, listed in
`model_index.json`. One weight format is enough, while repositories have up to six.

DALL·E mini only exists in Flax, and its image decoder is in another repository, its companion.

A repository of GGUF files has the same model many times, each file with its config and tokenizer, and one is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

_SMALL_FILE_SUFFIXES = (".json", ".txt", ".model", ".jinja", ".bpe")
"""Configs, vocabularies, merges, sentencepiece models, chat templates."""

_WEIGHTS = (
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin",
    "diffusion_pytorch_model.bin",
)
"""Best first. `unreadable_weights.py` names the formats that are never read."""

FLAX_WEIGHTS = "flax_model.msgpack"
"""Only read for models that were published in no other format."""

_COMPANIONS = {"dallebart": "dalle-mini/vqgan_imagenet_f16_16384"}
"""Companion repositories by the `model_type` in `config.json`."""

_GGUF_BITS = re.compile(r"(?:^|[^A-Za-z0-9])(?:(I|T)?Q([1-8])_|B?F(16|32)(?![0-9]))", re.IGNORECASE)
"""The number of bits in the name of a GGUF file: `model-Q4_K_M.gguf`, `model.f16.gguf`."""

_NO_GGUF_MODEL = re.compile(r"mmproj|imatrix|-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
"""GGUF files that are no whole language model: image encoders, statistics, parts of a model."""

_DENOISERS = ("transformer/", "unet/")
"""The components that a file with a part of a diffusion model replaces."""

_SHARD_NUMBER = re.compile(r"-\d{5}-of-(\d{5})\.")
_INDEX_SUFFIXES = (".index.json", ".index.fp16.json")


def wanted_files(
    names: Iterable[str], components: Collection[str] = (), *, flax: bool = False, file: str = ""
) -> list[str]:
    """Return the sorted names of the files that loading reads: settings, tokenizer, and weights in one format.

    `components` are the folders of a diffusers pipeline. Without them the model is in the root. `flax` selects the
    weights of a Flax checkpoint, and `file` a GGUF file, or for a pipeline the file that replaces its denoiser.
    """
    names = set(names)
    return sorted(settings_files(names, components) | weight_files(names, components, flax=flax, file=file))


def settings_files(names: Iterable[str], components: Collection[str] = ()) -> set[str]:
    """Return the small files among `names` that loading reads: configs, vocabularies, templates."""
    names = set(names)
    return {name for folder in _folders(components) for name in _small_files(names, folder)}


def weight_files(
    names: Iterable[str], components: Collection[str] = (), *, flax: bool = False, file: str = ""
) -> set[str]:
    """Return the files among `names` with the weights that loading reads, and the indexes of their shards."""
    names = set(names)
    if flax:
        return names & {FLAX_WEIGHTS}
    if not components and (chosen := gguf_file(names, file)):
        return {chosen}
    replaced = _DENOISERS if components and file else ()
    folders = [f"{component}/" for component in components] or [""]
    found = {name for folder in folders if folder not in replaced for name in _weights(names, folder)}
    return found | ({checkpoint_file(names, file)} - {""} if components else set[str]())


def checkpoint_file(names: Iterable[str], file: str) -> str:
    """Return the file with the whole diffusion model, or with its denoiser, that `file` names; empty if there is none.

    `file` may be the path of a file elsewhere on this machine, which is none of `names`.
    """
    found = [name for name in names if file and _fits(name, file) and name.endswith((".safetensors", ".gguf"))]
    return min(found, key=_gguf_rank, default="")


def gguf_file(names: Iterable[str], file: str = "") -> str:
    """Return the GGUF file that loading reads; empty if it reads none.

    It is the best one that `file` matches. Without `file`, GGUF files only count if there are no other weights. The
    best one has 8 bits, which are as good as 16 in half the size, or else as many as possible. In memory all are alike.
    """
    names = set(names)
    if not file and (_weights(names, "") or missing_shards(names)):
        return ""
    found = [name for name in names if name.endswith(".gguf") and _fits(name, file) and not _NO_GGUF_MODEL.search(name)]
    return min(found, key=_gguf_rank, default="")


def is_complete(names: Iterable[str], components: Collection[str] = (), *, flax: bool = False, file: str = "") -> bool:
    """Return whether `names` are a complete model that can be loaded, with all shards and components."""
    names = set(names)
    if flax:
        return names.issuperset({"config.json", FLAX_WEIGHTS})
    if not components and (file or gguf_file(names)):
        return bool(gguf_file(names, file))
    if not components:
        return "config.json" in names and _has_all_weights(names, "")
    if file:
        return bool(file.startswith("/") or checkpoint_file(names, file)) and all(
            _small_files(names, f"{component}/") for component in components
        )
    return all(_has_component(names, f"{component}/") for component in components)


def missing_shards(names: Iterable[str], folder: str = "") -> list[str]:
    """Return the files that sharded weights in `folder` lack: shards or their index. Empty if there are no shards."""
    names = set(names)
    for file in _WEIGHTS:
        if shards := [match for match in map(_shard_pattern(folder, file).fullmatch, names) if match]:
            stem, extension = file.rsplit(".", 1)
            count = max(int(match[1]) for match in shards)
            expected = [f"{folder}{stem}-{i:05}-of-{count:05}.{extension}" for i in range(1, count + 1)]
            return [name for name in (f"{folder}{file}.index.json", *expected) if name not in names]
    return []


def components_of(model_index: Mapping[str, Any]) -> list[str]:
    """Return the component folders in `model_index.json`. Disabled components are `[null, null]` there.

    Names with an underscore are settings, such as `_class_name`, which is a list for a pipeline of the repository.
    """
    entries = {name: entry for name, entry in model_index.items() if not name.startswith("_")}
    return sorted(name for name, entry in entries.items() if isinstance(entry, list) and all(entry))


def is_flax(config: Mapping[str, Any]) -> bool:
    """Return whether `config.json` is that of DALL·E mini, or of a VQGAN, its image decoder."""
    return companion_of(config) is not None or "n_embed" in config


def companion_of(config: Mapping[str, Any]) -> str | None:
    """Return the companion repository of a model with this `config.json`; None if it needs none."""
    return _COMPANIONS.get(str(config.get("model_type")))


def _fits(name: str, file: str) -> bool:
    """Return whether a GGUF file may be read: one in the root, or one that `file` names."""
    return name == file or fnmatchcase(name, file) if file else "/" not in name


def _gguf_rank(name: str) -> tuple[bool, int, bool, str]:
    """Return the sort key of a GGUF file, best first: `Q4_K_M`, `Q4_K_S`, `Q4_1`, `Q4_0`, `IQ4_XS`."""
    found = list(_GGUF_BITS.finditer(name))
    bits = int(found[-1][2] or found[-1][3]) if found else 0
    return bits != 8, -bits, bool(found and found[-1][1]), name.replace("_0", "_Z").replace("_1", "_Y")


def _folders(components: Collection[str]) -> tuple[str, ...]:
    return ("", *(f"{component}/" for component in components))


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
            return {index, *filter(_shard_pattern(folder, file).fullmatch, names)}
    return set()


def _shard_pattern(folder: str, file: str) -> re.Pattern[str]:
    """Return a pattern for the names of the shards of a file with weights. Its group is their count."""
    stem, extension = file.rsplit(".", 1)
    return re.compile(re.escape(folder + stem) + r"-\d{5}-of-(\d{5})\." + extension)


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
