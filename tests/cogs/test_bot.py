"""`python bot.py`, as an operator uses it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import aiohttp
import discord
import pytest
from discord.ext import commands

import bot
import inference
from cogs.client import Inkling
from inference import Engine
from storage import ShardsTaken, StorageError, Store, locked
from tests.fakes import FakeBackend

_SHIPPED = Path(bot.__file__).parent / "config.yaml"


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeBackend:
    """Replace the devices of this machine, and hide the token and the .env file of the person who runs the tests.

    The working folder has the shipped settings, and no data yet.
    """
    backend = FakeBackend()
    monkeypatch.setattr(inference, "create_engine", lambda config: Engine(config, backend))
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    shutil.copy(_SHIPPED, tmp_path)
    monkeypatch.chdir(tmp_path)
    return backend


@pytest.fixture
def logs_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Return a function that gives the bot a token and replaces its connection."""

    def connect(connection: Coroutine[Any, Any, None]) -> None:
        async def start(self: commands.AutoShardedBot, token: str, **_: object) -> None:
            assert token == "secret"
            await connection

        monkeypatch.setattr(commands.AutoShardedBot, "start", start)
        monkeypatch.setenv("DISCORD_TOKEN", "secret")

    return connect


def closed_by_the_gateway(code: int) -> discord.ConnectionClosed:
    """Return the error that discord.py raises when Discord ends the connection for good."""
    socket = cast("aiohttp.ClientWebSocketResponse", None)
    return discord.ConnectionClosed(socket, shard_id=None, code=code)


def test_the_shipped_settings_are_valid(capsys: pytest.CaptureFixture[str]):
    assert bot.main(["--check-config", "--config", str(_SHIPPED)]) == 0
    assert capsys.readouterr().out.startswith(
        f"{_SHIPPED} is fine: 1 model for chat, 5 models for complete, 1 model for fill,"
    )


def test_every_problem_is_reported_with_its_location(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "wrong.yaml"
    path.write_text("limits:\n  queue: many\n  speed: 9\n")
    assert bot.main(["--check-config", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "limits.queue" in said
    assert "limits.speed: unknown key" in said


def test_a_problem_that_two_checks_find_is_reported_once(capsys: pytest.CaptureFixture[str], backend: FakeBackend):
    backend.wrong = backend.lacking = ["models.chat[0] (m): its key is missing"]
    assert bot.main(["--check-config", "--config", str(_SHIPPED)]) == 2
    assert capsys.readouterr().err.count("its key is missing") == 1


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
    ("failure", "status", "said"),
    [
        (discord.LoginFailure("Improper token"), 3, "Discord refused the token."),
        (closed_by_the_gateway(4004), 3, "Discord refused the token."),
        (closed_by_the_gateway(4011), 1, "Discord can't be reached"),
        (discord.PrivilegedIntentsRequired(None), 2, "switch on Message Content Intent at https://discord.com/"),
        (aiohttp.ClientConnectionError("no route"), 1, "Discord can't be reached (no route)."),
        (TimeoutError("too slow"), 1, "Discord can't be reached (too slow)."),
        (StorageError("inkling.db can't be used"), 1, "inkling.db can't be used"),
    ],
)
def test_a_failed_login_prints_a_short_error_and_closes_the_engine(
    failure: Exception,
    status: int,
    said: str,
    logs_in: Callable[[Coroutine[Any, Any, None]], None],
    backend: FakeBackend,
    capsys: pytest.CaptureFixture[str],
):
    async def fail() -> None:
        raise failure

    logs_in(fail())
    assert bot.main([]) == status
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed
    assert backend.closed


def test_a_process_whose_shards_another_one_has_ends_with_a_sentence(
    backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    async def start(self: Inkling, token: str, **_: object) -> None:
        self.hand_over(ShardsTaken("Another process has taken over."))

    monkeypatch.setattr(commands.AutoShardedBot, "start", start)
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    assert bot.main([]) == 1
    assert capsys.readouterr().err.endswith("Another process has taken over.\n")
    assert backend.closed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_bot_and_closes_the_engine(number: signal.Signals, tmp_path: Path):
    done = _bot_that_sends_itself(number, tmp_path, until="False")
    assert done.stderr == ""
    assert done.stdout == "0 closed\n"


def _bot_that_sends_itself(
    number: signal.Signals, folder: Path, *arguments: str, until: str
) -> subprocess.CompletedProcess[str]:
    """Run the bot in a process of its own, until it is stopped or the condition `until` holds.

    In the process of the tests, a signal can find too little room for its frame: that of a thread that has used AMX is
    large, and the kernel then ends the process ("overflowed sigaltstack" in its log).
    """
    environment = {**os.environ, "DISCORD_TOKEN": "secret", "PYTHONPATH": str(_SHIPPED.parent)}
    program = [sys.executable, "-c", _SIGNALLED, str(int(number)), until, *arguments]
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


_SIGNALLED = """
import os, sys
from discord.ext import commands
import bot, inference
from cogs.client import Inkling
from tests.fakes import FakeBackend
from tests.waiting import until

backend, heard = FakeBackend(), []
inference.create_engine = lambda config: inference.Engine(config, backend)

async def start(self, token):
    os.kill(os.getpid(), int(sys.argv[1]))
    await until(lambda: eval(sys.argv[2]), "the signal did nothing")

Inkling.dispatch = lambda self, event, *_: heard.append(event)
commands.AutoShardedBot.start = start
status = bot.main(sys.argv[3:])
print(status, "closed" if backend.closed else "open")
"""


@pytest.mark.parametrize("token", ["", " "])
def test_a_service_without_a_token_ends_with_a_sentence_and_never_starts_the_preview(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DISCORD_TOKEN", token)
    assert bot.main(["--service"]) == 2
    assert capsys.readouterr().err.startswith("DISCORD_TOKEN is missing or empty. Put a token into it, from https://")


def test_a_service_that_lost_discord_ends_so_that_it_is_started_again(
    logs_in: Callable[[Coroutine[Any, Any, None]], None],
    backend: FakeBackend,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(bot, "MINUTES_AWAY", 0)
    logs_in(asyncio.sleep(60))
    assert bot.main(["--service"]) == 1
    assert capfd.readouterr().err.endswith("Discord was out of reach for 0 minutes. Check the network.\n")
    assert backend.closed


def test_a_sign_of_life_postpones_the_end_of_a_service(monkeypatch: pytest.MonkeyPatch):
    async def start(self: Inkling, token: str) -> None:
        monkeypatch.setattr(bot, "MINUTES_AWAY", 15)
        [give_sign] = self.heartbeats
        give_sign()
        await asyncio.sleep(0.05)

    monkeypatch.setattr(commands.AutoShardedBot, "start", start)
    monkeypatch.setattr(bot, "MINUTES_AWAY", 0)
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    assert bot.main(["--service"]) == 0


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_service_reads_its_settings_again_at_a_signal(tmp_path: Path):
    done = _bot_that_sends_itself(signal.SIGHUP, tmp_path, "--service", until="'config_changed' in heard")
    assert done.stderr == ""
    assert done.stdout == "0 closed\n"


def test_a_bot_that_no_one_starts_again_waits_for_discord_without_end(
    logs_in: Callable[[Coroutine[Any, Any, None]], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot, "MINUTES_AWAY", 0)
    logs_in(asyncio.sleep(0.05))
    assert bot.main([]) == 0


def test_a_service_whose_event_loop_is_stuck_is_ended_and_prints_where():
    program = [sys.executable, "-c", _STUCK]
    done = subprocess.run(program, cwd=_SHIPPED.parent, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "in be_stuck" in done.stderr


_STUCK = """
import asyncio, time, bot
bot.MINUTES_STUCK = 0.005

def be_stuck():
    time.sleep(600)

async def serve():
    async with asyncio.timeout(None) as limit:
        bot.postpone_end(limit)
        be_stuck()

asyncio.run(serve())
"""


def test_a_second_bot_on_the_same_data_is_refused(
    logs_in: Callable[[Coroutine[Any, Any, None]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    async def start() -> None:
        pytest.fail("The second bot started.")

    starting = start()
    logs_in(starting)
    with locked(tmp_path / "data"):
        assert bot.main([]) == 1
    starting.close()
    assert "Another process of the bot uses the folder" in capsys.readouterr().err


def test_the_running_bot_locks_its_data(logs_in: Callable[[Coroutine[Any, Any, None]], None], tmp_path: Path):
    async def start() -> None:
        with pytest.raises(StorageError), locked(tmp_path / "data"):
            pytest.fail("The running bot has no lock.")

    logs_in(start())
    assert bot.main([]) == 0


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """Return a folder with the files of a bot that has run."""
    store = Store(tmp_path / "data" / "inkling.db")
    await store.open()
    await store.close()
    return tmp_path / "data"


def test_data_is_backed_up_and_restored_with_a_sentence_each(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert bot.main(["--backup", "backup.zip"]) == 0
    assert capsys.readouterr().out.startswith(f"backup.zip has the data of {data}.")
    assert bot.main(["--restore", "backup.zip"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{data} is restored.\nWhat was there before is in {data}")
    [aside] = re.findall(r"is in (.*)\. Delete", said)
    assert (Path(aside) / "inkling.db").exists()


def test_a_backup_goes_through_pipes(data: Path, tmp_path: Path):
    run = [sys.executable, str(_SHIPPED.with_name("bot.py"))]
    made = subprocess.run([*run, "--backup", "-"], capture_output=True, check=True)
    (tmp_path / "backup.zip").write_bytes(made.stdout)
    assert "inkling.db" in zipfile.ZipFile(tmp_path / "backup.zip").namelist()
    subprocess.run([*run, "--restore", "-"], input=made.stdout, check=True)
    assert [path.name for path in data.iterdir() if path.name.startswith(("stream", "restor"))] == []


@pytest.mark.parametrize("option", ["--backup", "--restore"])
def test_a_backup_that_fails_is_explained_in_a_sentence(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert bot.main([option, "missing/backup.zip"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(("There is nothing to back up: ", "missing/backup.zip can't be restored: "))


@pytest.mark.parametrize(("option", "program"), [("--backup", "pg_dump"), ("--restore", "pg_restore")])
def test_data_in_postgres_is_backed_up_by_its_own_programs(
    option: str, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "shared.yaml"
    path.write_text("database: postgresql://inkling@db.example/inkling")
    assert bot.main([option, "backup.zip", "--config", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"The bot's data is in postgresql://inkling@db.example/inkling. Use {program}, a program of Postgres.\n"
    )


def test_a_database_that_can_not_be_reached_is_reported_with_the_settings(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "shared.yaml"
    path.write_text(f"database: {address.replace('/test', '/nowhere')}")
    assert bot.main(["--check-config", "--config", str(path)]) == 1
    said = capsys.readouterr().err
    assert re.search(r"The database nowhere\d+ on .* can't be used: .*does not exist\. Check that it runs", said)
    path.write_text(f"database: {address}")
    assert bot.main(["--check-config", "--config", str(path)]) == 0


def test_the_help_lists_every_exit_status():
    run = [sys.executable, "bot.py", "--help"]
    done = subprocess.run(run, cwd=_SHIPPED.parent, capture_output=True, text=True, check=True)
    assert re.findall(r"^  (\d)  ", done.stdout, re.MULTILINE) == ["0", "1", "2", "3"]
