"""`python bot.py`, as an operator uses it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord.ext import commands

import bot
import inference
from inference import Engine
from storage import StorageError
from tests.fakes import FakeBackend

_SHIPPED = Path(bot.__file__).parent / "config.yaml"


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeBackend:
    """Replace the devices of this machine, and hide the token and the .env file of the person who runs the tests."""
    backend = FakeBackend()
    monkeypatch.setattr(inference, "create_engine", lambda config: Engine(config, backend))
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return backend


@pytest.fixture
def logs_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Return a function that gives the bot a token and replaces its connection."""

    def connect(connection: Coroutine[Any, Any, None]) -> None:
        async def start(self: commands.Bot, token: str, **_: object) -> None:
            assert token == "secret"
            await connection

        monkeypatch.setattr(commands.Bot, "start", start)
        monkeypatch.setenv("DISCORD_TOKEN", "secret")

    return connect


def test_the_shipped_settings_are_valid(capsys: pytest.CaptureFixture[str]):
    assert bot.main(["--check-config", "--config", str(_SHIPPED)]) == 0
    assert capsys.readouterr().out.startswith(f"{_SHIPPED} is fine: 5 models for complete, 1 model for fill,")


def test_every_problem_is_reported_with_its_location(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "wrong.yaml"
    path.write_text("limits:\n  queue: many\n  speed: 9\n")
    assert bot.main(["--check-config", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "limits.queue" in said
    assert "limits.speed: unknown key" in said


@pytest.mark.parametrize("check", [["--check-config"], []])
def test_models_that_this_machine_can_not_run_are_reported_at_start(
    check: list[str], backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    backend.wrong = ["models.imagine[0] (big): it needs about 90 GB of memory"]
    assert bot.main([*check, "--config", str(_SHIPPED)]) == 2
    assert "models.imagine[0] (big): it needs about 90 GB of memory" in capsys.readouterr().err


@pytest.mark.parametrize(("chosen", "used"), [(None, "error"), ("info", "info")])
def test_transformers_logs_only_errors_unless_the_operator_changes_that(
    chosen: str | None, used: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", chosen or "to be undone after the test")
    if chosen is None:
        monkeypatch.delenv("TRANSFORMERS_VERBOSITY")
    assert bot.main(["--check-config", "--config", str(_SHIPPED)]) == 0
    assert os.environ["TRANSFORMERS_VERBOSITY"] == used


def test_a_part_of_an_option_is_not_the_option(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        bot.main(["--check"])
    assert "unrecognized arguments: --check" in capsys.readouterr().err


def test_help_loads_neither_torch_nor_discord():
    run = [sys.executable, "-X", "importtime", "bot.py", "--help"]
    done = subprocess.run(run, cwd=_SHIPPED.parent, capture_output=True, text=True, check=True)
    assert "--check-config" in done.stdout
    assert "argparse" in done.stderr
    assert not {"torch", "discord", "inference"} & set(done.stderr.split())


def test_the_bot_itself_does_not_load_torch():
    run = [sys.executable, "-c", "import cogs.registry, sys; print(*sys.modules)"]
    loaded = subprocess.run(run, cwd=_SHIPPED.parent, capture_output=True, text=True, check=True).stdout.split()
    assert "cogs.imagine" in loaded
    assert "torch" not in loaded


def test_a_token_is_read_from_the_env_file_unless_the_environment_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text("# secrets\nexport DISCORD_TOKEN='from file'\nINKLING_OTHER = b=c\n\nnonsense\n")
    monkeypatch.setenv("INKLING_OTHER", "from environment")
    monkeypatch.setenv("DISCORD_TOKEN", "to be undone after the test")
    monkeypatch.delenv("DISCORD_TOKEN")
    bot.read_env(tmp_path / ".env")
    assert os.environ["DISCORD_TOKEN"] == "from file"
    assert os.environ["INKLING_OTHER"] == "from environment"


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (discord.LoginFailure("Improper token"), "Discord refused the token."),
        (aiohttp.ClientConnectionError("no route"), "Discord can't be reached (no route)."),
        (TimeoutError("too slow"), "Discord can't be reached (too slow)."),
        (StorageError("inkling.db can't be used"), "inkling.db can't be used"),
    ],
)
def test_a_failed_login_prints_a_short_error_and_closes_the_engine(
    failure: Exception,
    said: str,
    logs_in: Callable[[Coroutine[Any, Any, None]], None],
    backend: FakeBackend,
    capsys: pytest.CaptureFixture[str],
):
    async def fail() -> None:
        raise failure

    logs_in(fail())
    assert bot.main(["--config", str(_SHIPPED)]) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed
    assert backend.closed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_bot_and_closes_the_engine(
    number: signal.Signals, logs_in: Callable[[Coroutine[Any, Any, None]], None], backend: FakeBackend
):
    async def stay() -> None:
        os.kill(os.getpid(), number)
        await asyncio.sleep(30)
        pytest.fail("The signal did not stop the bot.")

    logs_in(stay())
    assert bot.main(["--config", str(_SHIPPED)]) == 0
    assert backend.closed
