"""How the preview starts and ends, without a browser."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from discord.ext import commands

import bot
import preview
from inference import Config, Engine
from preview.engine import PreviewEngine
from tests.fakes import FakeBackend


def test_unsupported_models_are_reported_before_the_page_is_served(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    for name in ("discord", "cogs"):
        caplog.set_level(logging.INFO, name)  # restores the levels that the preview sets when the test ends
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preview, "prepare", lambda data: data)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    problem = "models.complete[0] (small): it needs about 90 GB of memory"
    monkeypatch.setattr(preview, "create_backend", lambda _: FakeBackend(wrong=[problem]))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    assert bot.main(["--preview"]) == 2
    said = capsys.readouterr()
    assert said.out == "The preview is starting, which takes some seconds.\n"
    assert problem in said.err


async def test_the_bot_is_closed_before_its_engine(config: Config) -> None:
    bots: list[commands.Bot] = []
    bot_open: list[bool] = []

    class RecordingBackend(FakeBackend):
        async def close(self) -> None:
            bot_open.append(not bots[0].is_closed())

    def create_bot(config: Config, engine: Engine) -> commands.Bot:
        bots.append(bot.create_bot(config, engine))
        return bots[0]

    async with preview.opened(PreviewEngine(config, RecordingBackend()), create_bot, 0):
        assert not bots[0].is_closed()
    assert bot_open == [False]
