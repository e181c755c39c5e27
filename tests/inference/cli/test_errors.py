"""Test the errors of the command line: one line on stderr, and an exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from inference import (
    Event,
    GenerationFailed,
    InferenceError,
    Loading,
    ModelSpec,
    ModelUnavailable,
    PartialText,
    Request,
)
from tests.fakes import PNG
from tests.inference.cli.command_line import CONFIG, CommandLine, Outcome


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "required: TASK"),
        (["dance"], "invalid choice: 'dance'"),
        (["complete"], "required: PROMPT"),
        (["complete", ""], "The prompt is empty"),
        (["complete", "x" * 100_000], "The prompt has 100,000 characters"),
        (["complete", "x", "--temperature", "nan"], "The temperature must be"),
        (["complete", "x", "--temperatur", "0.5"], "unrecognized arguments: --temperatur 0.5"),
        (["complete", "x", "--max-new-tokens", "many"], "invalid int value: 'many'"),
        (["complete", "x", "--max-new-tokens", "0"], "The length must be"),
        (["complete", "x", "--seed", "-1"], "The seed must be"),
        (["complete", "x", "--model", "not/a model"], "neither a hub id like org/name nor a folder"),
        (
            ["complete", "x", "--model", "nosuch"],
            "There is no model 'nosuch' for /complete. There is: gpt2, distilgpt2.",
        ),
        (["complete", "caf\udce9"], r"'caf\udce9' is not UTF-8"),
        (["download", "not a model"], "neither a hub id like org/name nor a folder"),
        (["fill", "no blank here"], "There is no blank to fill"),
        (["ask", "Who?", "--context"], "--context: expected at least one argument"),
        (["summarize", "nofile.pdf"], "nofile.pdf can't be read: No such file"),
        (["summarize", "folder/story"], "folder/story can't be read: No such file"),
        (["summarize", "."], ". can't be read: Is a directory"),
        (["summarize", "x", "--length", "tiny"], "invalid choice: 'tiny'"),
        (["ask", "Who?", "--context", "nowhere.txt"], "nowhere.txt can't be read: No such file"),
        (["caption", "nowhere.png"], "nowhere.png can't be read: No such file"),
        (["caption", "."], "can't be read: Is a directory"),
        (["imagine", "a fox"], "required: -o/--output"),
        (["imagine", "-o", "fox.png"], "There is nothing to draw. Write a PROMPT"),
        (["imagine", "a fox", "-o", "fox.png", "--sampler", "fast"], "there is no sampler 'fast'; there is: DPM++ 2M"),
        (["imagine", "a fox", "-o", "fox.png", "--strength", "0.5"], "belong to a picture"),
        (["imagine", "a fox", "-o", "fox.png", "--lora", "ink"], "This bot has no LoRA files."),
        (["imagine", "a fox", "-o", "fox.jpg"], "does not end in .png"),
        (["imagine", "a fox", "-o", "nowhere/fox.png"], "there is no folder 'nowhere'"),
        (["imagine", "a fox", "-o", "fox.png", "--size", "big"], "'big' is not a size like 512x512"),
        (["imagine", "a fox", "-o", "fox.png", "--size", "65x64"], "must be a multiple of 8"),
        (["imagine", "a fox", "-o", "fox.png", "--count", "99"], "The count must be"),
        (["mood", " "], "The text is empty"),
    ],
)
def test_bad_input_prints_one_line_on_stderr_and_exits_with_status_2(
    run: CommandLine, argv: list[str], words: str
) -> None:
    done = run(*argv)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err
    assert run.backend.requests == []


@pytest.mark.parametrize("argv", [["summarize"], ["ask", "Who?", "--context", "-"], ["mood", "-"]])
def test_an_empty_stdin_prints_one_line_and_exits_with_status_2(
    run: CommandLine, set_stdin: Callable[[str], None], argv: list[str]
) -> None:
    set_stdin("")
    assert run(*argv) == Outcome(2, "", "standard input is empty. Send a file with text in it.\n")


@pytest.mark.parametrize(("target", "words"), [("/dev/full", b"stdout can't be written: No space left"), ("", b"")])
def test_an_unwritable_stdout_exits_with_status_1_and_without_a_traceback(
    tmp_path: Path, target: str, words: bytes
) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "inference", "--config", str(tmp_path / "config.yaml"), "models"]
    out = os.open(target, os.O_WRONLY) if target else _broken_pipe()
    done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    os.close(out)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, bool(words))
    assert words in done.stderr


def _broken_pipe() -> int:
    read, write = os.pipe()
    os.close(read)
    return write


@pytest.mark.parametrize("content", [b"not a picture", PNG[:40], b""])
def test_an_unreadable_picture_prints_one_line_and_exits_with_status_2(
    run: CommandLine, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    done = run("caption", tmp_path / "broken.png")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert run.backend.requests == []


def test_a_text_file_with_binary_content_prints_one_line_and_exits_with_status_2(
    run: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "cat.txt").write_bytes(PNG)
    for arguments in (["ask", "Who?", "--context"], ["summarize"]):
        done = run(*arguments, tmp_path / "cat.txt")
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert "cat.txt is not a document" in done.err


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "there is no such file (--config FILE takes the settings from another file)"),
        ("models: [", "line 1, column 10: the file ends too early"),
        ("limits: {queue: many, stpes: 3}\ntypo: 1", "typo: unknown key"),
    ],
)
def test_a_broken_config_prints_one_line_and_exits_with_status_2(
    run: CommandLine, tmp_path: Path, config: str | None, words: str
) -> None:
    (tmp_path / "config.yaml").unlink()
    if config is not None:
        (tmp_path / "config.yaml").write_text(config)
    done = run("complete", "Once")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err


def test_a_task_without_models_prints_one_line_and_exits_with_status_2(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("models: {}")
    done = run("complete", "Once")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "No model is set up for /complete" in done.err


def test_an_unavailable_model_exits_with_status_2_and_a_failing_one_with_status_1(run: CommandLine) -> None:
    run.respond_with(Loading(0.5), ModelUnavailable("gpt2 is not downloaded."))
    assert run("complete", "Once") == Outcome(2, "", "gpt2 is not downloaded.\n")
    run.respond_with(PartialText("half"), GenerationFailed("The model failed."))
    assert run("complete", "Once") == Outcome(1, "", "The model failed.\n")


def test_an_output_file_that_cannot_be_written_prints_one_line_and_exits_with_status_2(
    run: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "folder.png").mkdir()
    done = run("imagine", "a fox", "-o", tmp_path / "folder.png")
    assert (done.status, done.err) == (2, f"{tmp_path / 'folder.png'} can't be written: Is a directory.\n")


def test_ctrl_c_exits_with_status_130_and_closes_the_engine(run: CommandLine) -> None:
    def interrupt(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
        raise KeyboardInterrupt

    run.backend.script = interrupt
    assert run("complete", "Once") == Outcome(130, "", "")
    assert run.backend.closed


def test_the_engine_is_closed_after_every_command(run: CommandLine) -> None:
    run("mood", "What a day")
    assert run.backend.closed
