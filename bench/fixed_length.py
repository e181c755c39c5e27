"""A summarizer with summaries of a fixed number of tokens, so that times are comparable."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_CONFIG = "config.json"
_GENERATION = "generation_config.json"


@contextmanager
def fixed_length(folder: Path, tokens: int) -> Generator[Path]:
    """Yield a folder with links to the files of `folder`, with settings for this number of tokens."""
    limits = {"min_length": tokens, "max_length": tokens}
    with TemporaryDirectory() as name:
        copy_folder = Path(name)
        for file in folder.iterdir():
            if file.name not in (_CONFIG, _GENERATION):
                (copy_folder / file.name).symlink_to(file.resolve())
        config = _read(folder / _CONFIG)
        task_params = config.get("task_specific_params") or {}
        task_params["summarization"] = task_params.get("summarization", {}) | limits
        _write(copy_folder / _CONFIG, config | limits | {"task_specific_params": task_params})
        if (folder / _GENERATION).exists():
            _write(copy_folder / _GENERATION, _read(folder / _GENERATION) | limits)
        yield copy_folder


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _write(file: Path, settings: dict[str, Any]) -> None:
    file.write_text(json.dumps(settings), encoding="utf-8")
