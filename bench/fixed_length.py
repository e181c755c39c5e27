"""A summarizer whose summaries all have the same number of tokens, so that times compare work and not words."""

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
    """A folder with links to the files of `folder`, but for the settings, which ask for so many tokens."""
    limits = {"min_length": tokens, "max_length": tokens}
    with TemporaryDirectory() as name:
        fixed = Path(name)
        for file in folder.iterdir():
            if file.name not in (_CONFIG, _GENERATION):
                (fixed / file.name).symlink_to(file.resolve())
        config = _read(folder / _CONFIG)
        special = config.get("task_specific_params") or {}
        special["summarization"] = special.get("summarization", {}) | limits
        _write(fixed / _CONFIG, config | limits | {"task_specific_params": special})
        if (folder / _GENERATION).exists():
            _write(fixed / _GENERATION, _read(folder / _GENERATION) | limits)
        yield fixed


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _write(file: Path, settings: dict[str, Any]) -> None:
    file.write_text(json.dumps(settings), encoding="utf-8")
