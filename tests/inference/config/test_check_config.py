"""What `python bot.py --check-config` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

import bot


def check(path: Path, text: str) -> int:
    path.write_text(text)
    return bot.main(["--check-config", "--config", str(path)])


def test_models_that_were_not_checked_and_commands_without_models_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    assert check(path, "models: {fill: [org/a, nosuch], ask: [org/c]}") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path} is fine: 2 models for fill, 1 model for ask",
        "  fill  a       not checked: not downloaded yet",
        "  fill  nosuch  not checked: not downloaded yet",
        "  ask   c       not checked: not downloaded yet",
        f"The others are checked when you download them: .venv/bin/python -m inference --config {path} download",
        "Switched off, since no model is listed for them: /chat, /complete, /summarize, /caption, /imagine, /edit, "
        "/upscale, /mood",
    ]


def test_edit_is_not_switched_off_where_a_model_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path / "config.yaml", "models: {imagine: [org/a]}") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Switched off, since no model is listed for them: /chat, /complete, /fill, /summarize, /ask, /caption, "
        "/upscale, /mood"
    )


def test_an_empty_file_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    assert check(path, "") == 0
    assert capsys.readouterr().out.startswith(f"{path} is fine: it lists no models\n")


def test_problems_are_on_stderr_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    assert check(path, "limits:\n  queue: many\nmodels:\n  fill: [./nowhere]\n") == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: 1 problem",
        "  line 2, limits.queue: must be a whole number of at least 1, not 'many'",
    ]
    assert check(path, "models:\n  fill: [./nowhere]\n") == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: 1 problem",
        f"  line 2, models.fill[0]: The model {tmp_path / 'nowhere'} is not complete. Missing: the folder itself. "
        "You have to add this, or correct the model's `repo` in config.yaml.",
    ]


def test_a_device_that_is_missing_is_told_once_where_the_file_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    text = """
models:
  fill: [org/a, org/b]
  ask: [{repo: org/c, device: cuda:98}]
safety: {texts: org/d}
device: [cpu, cuda:99]
"""
    assert check(path, text) == 2
    title, *problems = capsys.readouterr().err.splitlines()
    assert title == f"{path}: 2 problems"
    assert [problem.partition(" is not on this machine, which has ")[0] for problem in problems] == [
        "  line 4, models.ask[0].device: cuda:98",
        "  line 6, device: cuda:99",
    ]
    assert all(problem.endswith("cpu. Name one of these, or write auto.") for problem in problems)
