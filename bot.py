"""Inkling: `python bot.py` starts the bot, or a preview of it in the browser when there is no token.

This is the composition root: arguments → settings → engine → bot. Slow imports stand inside the functions that need
them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import io
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogs.env_file import EnvFileError, read_env
from cogs.huge_pages import restart_with_huge_pages
from cogs.logging_setup import set_up_logging

if TYPE_CHECKING:
    from cogs.client import Inkling
    from inference import Config, Engine, ModelStatus
    from storage import Shards

_PREVIEW_PORT = 8787
_STREAM = Path("-")

MINUTES_AWAY = 15
"""After so many minutes without Discord, a service ends, to be started again."""
MINUTES_STUCK = 20
"""After so many minutes without Discord, a service that has not ended by itself is ended by a thread."""

_STATUSES = """\
exit status:
  0  the bot was stopped, or what it was told to do is done
  1  Discord can't be reached, or a file can't be used: start it again later
  2  the settings or the arguments are wrong: correct them first
  3  Discord refused the token: put a new one in first
"""
_AUTHENTICATION_FAILED = 4004
"""The code with which Discord's gateway ends the connection of a bot whose token is no longer valid."""
_APPLICATIONS = "https://discord.com/developers/applications"
_TOKENS = f"{_APPLICATIONS} (your application, Bot, Reset Token)"
_INTENT_MISSING = (
    "Discord refused the bot, since config.yaml asks for message content: switch on Message Content Intent at "
    f"{_APPLICATIONS} (your application, Bot, Privileged Gateway Intents), or write `message_content: no`."
)


def create_bot(engine: Engine, shards: Shards | None = None) -> Inkling:
    """Return the whole bot, ready to log in; the preview and the tests use it too."""
    from cogs.client import Inkling
    from cogs.registry import COGS

    return Inkling(engine, COGS, shards)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status, one of those that `--help` lists."""
    _escape_unprintable()
    arguments = _parser().parse_args(argv)
    set_up_logging()  # as text, until config.yaml says more
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # read once, when transformers is imported
    try:
        if arguments.service and sys.platform != "win32":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # `systemctl reload` may come before the bot is ready
        read_env(Path(".env"))
        token = _token()
        if arguments.check_config:
            return _check(arguments.config)
        if arguments.operator:
            return _tell_running_bot(arguments.config, arguments.operator)
        if arguments.backup:
            return _back_up(arguments.config, arguments.backup)
        if arguments.restore:
            return _restore(arguments.config, arguments.restore)
        if arguments.preview or not (token or arguments.service):
            return _preview(arguments.port)
        if not token:
            raise StartError(2, f"DISCORD_TOKEN is missing or empty. Put a token into it, from {_TOKENS}.")
        return _serve(arguments.config, token, arguments.shards, is_service=arguments.service)
    except EnvFileError as error:
        print(error, file=sys.stderr)
        return 2
    except StartError as error:
        print(error, file=sys.stderr)
        return error.status


class StartError(Exception):
    """An error that stops the bot: a sentence (or a line for each reason) and the exit status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def _token() -> str:
    """Return the token; empty if there is none. Raise StartError if it can't be one."""
    token = os.environ.get("DISCORD_TOKEN", "").strip()
    if not all("!" <= letter <= "~" for letter in token):
        raise StartError(2, f"DISCORD_TOKEN has a letter that no token has. Copy it again, from {_TOKENS}.")
    return token


def _escape_unprintable() -> None:
    """Let stdout and stderr write letters that their encoding lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bot.py",
        description="A Discord bot that runs Hugging Face models here.",
        epilog=_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), metavar="FILE", help="settings to use")
    service = f"never start the preview, and end after {MINUTES_AWAY} minutes without Discord, to be started again"
    parser.add_argument("--service", action="store_true", help=service)
    parser.add_argument(
        "--operator",
        nargs="+",
        metavar="WORD",
        help="tell the running bot something, such as: status, reload, load MODEL; `help` lists all",
    )
    parser.add_argument("--port", type=int, default=_PREVIEW_PORT, help="of the preview (default %(default)s)")
    shards = "of Discord's gateway that this process runs, such as 0-7/32; by default all that Discord recommends"
    parser.add_argument("--shards", type=_shards, metavar="SHARDS", help=shards)
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--check-config", action="store_true", help="check the settings, then stop")
    actions.add_argument("--preview", action="store_true", help="start the preview even if there is a token")
    backup = "write the bot's data into a new ZIP file, also while the bot runs, then stop; - is the output"
    actions.add_argument("--backup", type=Path, metavar="FILE", help=backup)
    restore = "replace the bot's data by a backup while the bot does not run, then stop; - is the input"
    actions.add_argument("--restore", type=Path, metavar="FILE", help=restore)
    return parser


def _shards(text: str) -> Shards:
    from storage import Shards

    try:
        return Shards.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _check(path: Path) -> int:
    from inference import TASK_NAMES

    config, engine = _load(path, probe=True)
    counts = {task: len(config.specs(task)) for task in TASK_NAMES}
    models = [f"{count} model{'s' * (count != 1)} for {task}" for task, count in counts.items() if count]
    if config.database:
        _check_database(config.database)
    print(f"{path} is fine: {', '.join(models) or 'it lists no models'}")
    statuses = asyncio.run(_statuses(engine))
    width = max((len(status.spec.name) for status in statuses), default=0)
    longest = max((len(status.spec.task) for status in statuses), default=0)
    for status in statuses:
        print(f"  {status.spec.task:<{longest}}  {status.spec.name:<{width}}  {_check_result(status)}")
    if any(status.state == "not downloaded" for status in statuses):
        print(f"The others are checked when you download them: .venv/bin/python -m inference --config {path} download")
    edits_by_region = bool(counts["imagine"])
    missing = [task for task, count in counts.items() if not count and not (task == "edit" and edits_by_region)]
    if without := [f"/{task}" for task in missing]:
        print(f"Switched off, since no model is listed for them: {', '.join(without)}")
    return 0


def _check_database(address: str) -> None:
    from storage import StorageError, check_database

    try:
        check_database(address)
    except StorageError as error:
        raise StartError(1, str(error)) from error


async def _statuses(engine: Engine) -> list[ModelStatus]:
    try:
        return await engine.statuses()
    finally:
        await engine.close()


def _check_result(status: ModelStatus) -> str:
    if status.state == "not downloaded":
        return "not checked: not downloaded yet"
    if status.state == "device away":
        return "not checked: its device is away"
    return f"checked: {status.way}" if status.way else "checked"


def _back_up(path: Path, file: Path) -> int:
    from storage import StorageError, back_up, back_up_to_stream

    folder = _data_in_files(path, "pg_dump")
    if file == _STREAM and sys.stdout.isatty():
        raise StartError(2, "A backup is no text. Write it into a file: --backup FILE, or --backup - > FILE.")
    try:
        if file == _STREAM:
            back_up_to_stream(folder, sys.stdout.buffer)
            return 0
        back_up(folder, file)
    except StorageError as error:
        raise StartError(1, str(error)) from error
    except OSError as error:
        raise StartError(1, f"The backup can't be written: {error}. Check the free space of {folder}.") from error
    print(f"{file} has the data of {folder}. It is as private as the data itself.")
    return 0


def _restore(path: Path, file: Path) -> int:
    from storage import StorageError, restore, restore_from_stream

    folder = _data_in_files(path, "pg_restore")
    try:
        earlier = restore_from_stream(sys.stdin.buffer, folder) if file == _STREAM else restore(file, folder)
    except StorageError as error:
        raise StartError(1, str(error)) from error
    except OSError as error:
        raise StartError(1, f"The backup can't be read: {error}. Check the free space of {folder}.") from error
    print(f"{folder} is restored.")
    if earlier:
        print(f"What was there before is in {earlier}. Delete that folder when you no longer need it.")
    return 0


def _data_in_files(path: Path, other_way: str) -> Path:
    """Return the data folder. Raise StartError if the data is in Postgres, which has programs of its own for it."""
    config = _settings(path)
    if config.database:
        raise StartError(2, f"The bot's data is in {config.database}. Use {other_way}, a program of Postgres.")
    return config.data


def _preview(port: int) -> int:
    # The login and the invite link of an offline Discord are not worth logging. Importing SimCord makes a client.
    logging.getLogger("discord").setLevel(logging.ERROR)
    logging.getLogger("cogs").setLevel(logging.WARNING)
    try:
        from preview import serve
    except ModuleNotFoundError as error:
        raise StartError(
            1, f"The preview needs {error.name}. Install it with: pip install -r requirements-starter.txt"
        ) from error
    from inference import ConfigError, InferenceError, addressed_to_operator

    try:
        with contextlib.suppress(KeyboardInterrupt):  # Windows
            asyncio.run(_until_stopped(serve(port, create_bot)))
    except (ConfigError, InferenceError) as error:
        raise StartError(2, addressed_to_operator(str(error))) from error
    except Exception as error:
        logging.getLogger("preview").debug("the error that ended the preview", exc_info=error)
        problem = f"{type(error).__name__}: {error}".partition("\n")[0]
        sentence = f"The preview has ended because of an error ({problem}). Start it again with make run."
        raise StartError(1, sentence) from error
    print("The preview has ended.")
    return 0


def _serve(path: Path, token: str, shards: Shards | None, *, is_service: bool) -> int:
    import aiohttp
    import discord

    from cogs.gateway import NoSessionsLeft
    from cogs.metrics.server import AddressUnavailable
    from storage import StorageError, locked_for_bot

    config, engine = _load(path)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot has no voice
    try:
        with locked_for_bot(config.data):
            asyncio.run(_until_stopped(_log_in(create_bot(engine, shards), engine, token, is_service=is_service)))
    except (StorageError, AddressUnavailable, NoSessionsLeft) as error:
        raise StartError(1, str(error)) from error
    except (aiohttp.ClientError, TimeoutError, discord.DiscordException) as error:
        if isinstance(error, discord.LoginFailure) or getattr(error, "code", 0) == _AUTHENTICATION_FAILED:
            raise StartError(
                3, f"Discord refused the token. Copy a new one into DISCORD_TOKEN, from {_TOKENS}."
            ) from error
        if isinstance(error, discord.PrivilegedIntentsRequired):
            raise StartError(2, _INTENT_MISSING) from error
        raise StartError(
            1, f"Discord can't be reached ({error}). Check the network, then start the bot again."
        ) from error
    finally:
        faulthandler.cancel_dump_traceback_later()
    return 0


def _tell_running_bot(path: Path, words: Sequence[str]) -> int:
    """Pass a command of the operator to the bot that runs with these settings, and print its answer."""
    from cogs.operator.control_socket import NoBot, ask_running_bot
    from inference import ConfigError, data_folder

    try:
        # The file may have problems that the running bot is to report.
        done, answer = asyncio.run(ask_running_bot(data_folder(path), words, lambda share: print(share, flush=True)))
    except ConfigError as error:
        raise StartError(2, str(error)) from error
    except NoBot as error:
        raise StartError(1, str(error)) from error
    if not done:
        raise StartError(2, answer)
    print(answer)
    return 0


def _load(path: Path, *, probe: bool = False) -> tuple[Config, Engine]:
    """Load settings that the files of the models can satisfy; with `probe`, the devices too, which may need torch."""
    from inference import ConfigError, addressed_to_operator, create_engine

    config = _settings(path)
    set_up_logging(config.log, config.log_level)
    engine = create_engine(config)
    problems = [*engine.problems(), *(engine.device_problems(probe=True) if probe else ())]
    if problems := list(dict.fromkeys(problems)):  # such as a missing key, which both find
        raise StartError(2, addressed_to_operator(str(ConfigError(path, problems))))
    return config, engine


def _settings(path: Path) -> Config:
    from inference import ConfigError, load_config

    try:
        return load_config(path)
    except ConfigError as error:
        raise StartError(2, str(error)) from error


async def _log_in(bot: Inkling, engine: Engine, token: str, *, is_service: bool) -> None:
    """Run the bot; at the end, close the open sessions before the engine.

    A service that gives no sign of life ends, because whoever supervises it can then start it again.
    """
    limit = asyncio.timeout(None)
    try:
        async with limit:
            if is_service:
                postpone_end(limit)
                bot.heartbeats.append(lambda: postpone_end(limit))
            if is_service and sys.platform != "win32":
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, bot.dispatch, "config_changed")
            async with bot:
                await bot.start(token)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise StartError(1, f"Discord was out of reach for {MINUTES_AWAY} minutes. Check the network.") from error
    finally:
        await engine.close()


def postpone_end(limit: asyncio.Timeout) -> None:
    """Let the bot end later: by itself, or by faulthandler's thread if the event loop does not run or closing hangs."""
    limit.reschedule(asyncio.get_running_loop().time() + 60 * MINUTES_AWAY)
    faulthandler.dump_traceback_later(60 * MINUTES_STUCK, exit=True)


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or until SIGINT or SIGTERM cancels it."""
    task = asyncio.create_task(work)
    if sys.platform != "win32":  # there, asyncio has no signal handlers, and Ctrl-C raises KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    restart_with_huge_pages()
    sys.exit(main())
