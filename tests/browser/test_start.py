"""How the preview starts and ends, without a browser."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from discord.ext import commands

import bot
import preview
from inference import Config, Engine
from preview.engine import PreviewEngine
from preview.link import link_secret
from preview.page import PreviewPage
from tests.browser.conftest import SECRET
from tests.fakes import FakeBackend

STARTING = "The preview is starting, which takes some seconds.\n"

Start = Callable[[FakeBackend], int]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, config: Config, tmp_path: Path) -> Start:
    """Return a function that runs `python bot.py --preview` with a backend, and returns its exit status."""
    for name in ("discord", "cogs"):
        caplog.set_level(logging.INFO, name)  # restores the levels that the preview sets when the test ends
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preview, "prepare", lambda data: data)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr(preview, "load_config", lambda _: config)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

    def run(backend: FakeBackend) -> int:
        monkeypatch.setattr(preview, "create_backend", lambda _, __: backend)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        return bot.main(["--preview", "--port", "0"])

    return run


def test_unsupported_models_are_reported_before_the_page_is_served(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = "models.complete[0] (small): it needs about 90 GB of memory"
    assert start(FakeBackend(wrong=[problem])) == 2
    said = capsys.readouterr()
    assert said.out == STARTING
    assert problem in said.err


def test_ctrl_c_ends_the_preview_with_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(bot.__file__).parent)}  # its own process, as in test_bot.py
    run = [sys.executable, "-c", _INTERRUPTED]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.startswith(STARTING)
    assert done.stdout.splitlines()[-1] == "The preview has ended."
    assert done.stderr == ""


_INTERRUPTED = """
import asyncio, os, signal, sys
import bot, preview
from inference import load_config
from pathlib import Path
from preview.page import PreviewPage
from tests.fakes import FakeBackend

preview.prepare = lambda data: data
preview.load_config = lambda _: load_config(Path(bot.__file__).with_name("config.yaml"))
preview.create_backend = lambda _, __: FakeBackend()

async def run(_):
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()

PreviewPage.run = run
sys.exit(bot.main(["--preview", "--port", "0"]))
"""


def test_an_error_ends_the_preview_with_one_sentence(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(_: PreviewPage) -> None:
        raise RuntimeError("the bot is gone\nmore about it")

    monkeypatch.setattr(PreviewPage, "run", run)
    assert start(FakeBackend()) == 1
    said = capsys.readouterr()
    assert said.err == (
        "The preview has ended because of an error (RuntimeError: the bot is gone). Start it again with make run.\n"
    )
    assert "The preview has ended." not in said.out


def test_the_link_stays_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    secret = link_secret(folder)
    assert link_secret(folder) == secret
    assert len(secret) >= 32
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert link_secret(tmp_path / "other") != secret


def test_a_damaged_or_impossible_file_of_the_link_does_no_harm(tmp_path: Path) -> None:
    link_secret(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text("short")
    secret = link_secret(tmp_path)
    assert len(secret) >= 32
    assert link_secret(tmp_path) == secret
    assert link_secret(file / "not a folder") != secret


async def test_the_bot_is_closed_before_its_engine(config: Config) -> None:
    bots: list[commands.AutoShardedBot] = []
    bot_open: list[bool] = []

    class RecordingBackend(FakeBackend):
        async def close(self) -> None:
            bot_open.append(not bots[0].is_closed())

    def create_bot(engine: Engine) -> commands.AutoShardedBot:
        bots.append(bot.create_bot(engine))
        return bots[0]

    async with preview.opened(PreviewEngine(config, RecordingBackend()), create_bot, 0, SECRET):
        assert not bots[0].is_closed()
    assert bot_open == [False]
