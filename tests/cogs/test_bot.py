"""`python bot.py`, as an operator meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import aiohttp
import discord
import pytest
from discord.ext import commands

import bot
import inference
from inference import Config, Engine
from tests.fakes import FakeBackend

_ROOT = Path(bot.__file__).parent


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token, and no .env file, of whoever runs the tests."""
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_shipped_settings_are_fine(capsys: pytest.CaptureFixture[str]):
    path = _ROOT / "config.yaml"
    assert bot.main(["--check-config", "--config", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path} is fine: 5 models for complete, 1 model for fill,")


def test_every_problem_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "wrong.yaml"
    path.write_text("limits:\n  queue: many\n  speed: 9\n")
    assert bot.main(["--check-config", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "limits.queue" in said
    assert "limits.speed: unknown key" in said


def test_help_and_the_check_load_neither_torch_nor_discord():
    code = "import bot, sys; bot.main(['--check-config', '--config', sys.argv[1]]); print(*sys.modules)"
    run = [sys.executable, "-c", code, str(_ROOT / "config.yaml")]
    loaded = subprocess.run(run, cwd=_ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "inference.config" in loaded
    assert "torch" not in loaded
    assert "discord" not in loaded


def test_the_bot_itself_does_not_load_torch():
    run = [sys.executable, "-c", "import cogs.client, sys; print(*sys.modules)"]
    loaded = subprocess.run(run, cwd=_ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "cogs.imagine" in loaded
    assert "torch" not in loaded


def test_a_token_is_read_from_the_env_file_unless_the_environment_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text("# secrets\nexport DISCORD_TOKEN='from file'\nINKLING_OTHER = b=c\n\nnonsense\n")
    monkeypatch.setenv("INKLING_OTHER", "from environment")
    bot.read_env(tmp_path / ".env")
    assert bot.os.environ["DISCORD_TOKEN"] == "from file"
    assert bot.os.environ["INKLING_OTHER"] == "from environment"
    monkeypatch.delenv("DISCORD_TOKEN")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (discord.LoginFailure("Improper token"), "Discord refused the token."),
        (aiohttp.ClientConnectionError("no route"), "Discord can't be reached (no route)."),
        (OSError("network is down"), "Discord can't be reached (network is down)."),
    ],
)
def test_a_failed_login_is_one_sentence_and_closes_the_engine(
    failure: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    backend = FakeBackend()

    async def start(self: commands.Bot, token: str, **_: object) -> None:
        assert token == "secret"
        raise failure

    def create_engine(config: Config) -> Engine:
        return Engine(config, backend)

    monkeypatch.setattr(commands.Bot, "start", start)
    monkeypatch.setattr(inference, "create_engine", create_engine)
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    assert bot.main(["--config", str(_ROOT / "config.yaml")]) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed
    assert backend.closed
