"""The content of one folder: a cached repository, complete or not, or a model that the operator put there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inference.hub.repository_files import companion_of, components_of, is_complete, is_flax, wanted_files
from inference.types import ModelSpec

INDEX = "model_index.json"
CONFIG = "config.json"


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """Information from a repository's own config: the folders of a diffusers pipeline, and whether weights are Flax."""

    components: tuple[str, ...] = ()
    flax: bool = False

    @classmethod
    def of(cls, folder: Path) -> FolderLayout:
        index, config = _read_json(folder / INDEX), _read_json(folder / CONFIG)
        return cls(tuple(components_of(index)), is_flax(config))

    def wanted(self, names: Iterable[str]) -> list[str]:
        return wanted_files(names, self.components, flax=self.flax)

    def is_complete(self, names: Iterable[str]) -> bool:
        return is_complete(names, self.components, flax=self.flax)


def file_names(folder: Path) -> set[str]:
    """Return every file below `folder`, with names as on the hub. Broken links are not included."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def loaded_size(folder: Path) -> int:
    """Return the size of the files that loading reads, in bytes."""
    return sum((folder / name).stat().st_size for name in FolderLayout.of(folder).wanted(file_names(folder)))


def companion_spec(spec: ModelSpec, folder: Path | None) -> ModelSpec | None:
    """Return the spec of another repository that the model in `folder` needs. A folder `vqgan` inside has priority."""
    repo = companion_of(_read_json(folder / CONFIG)) if folder else None
    if not folder or not repo:
        return None
    return replace(spec, repo=str(folder / "vqgan") if (folder / "vqgan").is_dir() else repo, revision=None)


def _read_json(file: Path) -> dict[str, Any]:
    """Return the content of a JSON file; an empty dict if it is missing or damaged."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
