"""Stand-ins for the Python of the peers' environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def answer(monkeypatch: pytest.MonkeyPatch, folder: Path, seconds: float) -> None:
    """Let every peer take `seconds`."""
    _script(monkeypatch, folder, f"echo a message of a library\necho '{{\"seconds\": {seconds}}}'")


def fail(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let every peer fail."""
    _script(monkeypatch, folder, "exit 1")


def be_missing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let no peer be installed: the real program runs, without any packages."""
    _script(monkeypatch, folder, f'exec {sys.executable} -S "$@"')


def _script(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    file = folder / "python-of-peers"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PEERS", str(file))
