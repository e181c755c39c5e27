"""Test that output reaches every terminal and every file, whatever letters its encoding has."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference import Completion, GenerationFailed, Result
from tests.inference.cli.command_line import CommandLine

ROOT = Path(__file__).parents[3]


def on_stream(run: CommandLine, encoding: str, monkeypatch: pytest.MonkeyPatch, *argv: str) -> tuple[int, str, str]:
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding=encoding) for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    status = run(*argv).status
    texts: list[str] = []
    for stream in streams.values():
        stream.flush()
        texts.append(stream.buffer.getvalue().decode(encoding))  # type: ignore[attr-defined]
    return status, texts[0], texts[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1", "shift_jis"])
def test_letters_that_stdout_lacks_are_escaped(
    run: CommandLine, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.respond_with(Result(Completion(" an \U0001f34e", 1)))
    status, out, _ = on_stream(run, encoding, monkeypatch, "complete", "Once")
    assert (status, out) == (0, " an \\U0001f34e\n")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "utf-16"])
def test_json_is_valid_in_every_encoding(run: CommandLine, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run.respond_with(Result(Completion(" an \U0001f34e, a caf\xe9", 1)))
    status, out, _ = on_stream(run, encoding, monkeypatch, "complete", "Once", "--json")
    assert (status, json.loads(out)["text"]) == (0, " an \U0001f34e, a caf\xe9")
    assert ("\U0001f34e" in out) == encoding.startswith("utf")


def test_letters_that_stderr_lacks_are_escaped(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run.respond_with(GenerationFailed("No \u72d0."))
    assert on_stream(run, "cp1252", monkeypatch, "complete", "Once") == (1, "", "No \\u72d0.\n")


@pytest.mark.parametrize("program", [["-m", "inference"], ["-m", "inference", "imagine"], ["bot.py"]])
def test_help_is_printed_in_ascii(program: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *program, "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: ")


def test_an_error_of_the_bot_is_printed_in_ascii(tmp_path: Path) -> None:
    (tmp_path / "füchse.yaml").write_text("limits: {queue: many}")
    done = subprocess.run(
        [sys.executable, "bot.py", "--check-config", "--config", str(tmp_path / "füchse.yaml")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"f\\xfcchse.yaml" in done.stderr
