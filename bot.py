"""Inkling: `python bot.py` starts the bot, or a preview of it in the browser when there is no token.

This is the composition root: arguments → settings → engine → bot. Slow imports stand inside the functions that need
them.
"""

from __future__ import annotations

import argparse
import asyncio
import codecs
import contextlib
import io
import logging
import os
import re
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogs.logging_setup import set_up_logging

if TYPE_CHECKING:
    from discord.ext import commands

    from inference import Config, Engine, ModelStatus

_PREVIEW_PORT = 8787
_TOKEN_NAME = re.compile(r"(?<!\w)discord[\W_]?token\b", re.IGNORECASE)
"""The name of the token, as people write it too."""
_TOKENS = "https://discord.com/developers/applications (your application, Bot, Reset Token)"


def create_bot(config: Config, engine: Engine) -> commands.Bot:
    """Return the whole bot, ready to log in; the preview and the tests use it too."""
    from cogs.client import Inkling
    from cogs.registry import COGS

    return Inkling(config, engine, COGS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status.

    The status is 0, 1 when Discord can't be reached or refuses, or 2 for wrong settings.
    """
    _escape_unprintable()
    arguments = _parser().parse_args(argv)
    set_up_logging()  # as text, until config.yaml says more
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # read once, when transformers is imported
    try:
        read_env(Path(".env"))
        token = _token()
        if arguments.check_config:
            return _check(arguments.config)
        if arguments.preview or not token:
            return _preview(arguments.port)
        return _serve(arguments.config, token)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.status


class Failure(Exception):
    """An error that stops the bot: a sentence (or a line for each reason) and the exit status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def read_env(path: Path) -> None:
    """Add the variables of a `.env` file to the environment; variables that have a value there keep it.

    Raise Failure if the file can't be read, or a line of it. Otherwise the preview would start instead of the bot when
    there is a token that is not found.
    """
    if not path.exists():
        return
    from dotenv.parser import parse_stream

    text, encoding = _env_text(path)
    bindings = [binding for binding in parse_stream(io.StringIO(text)) if not _is_comment(binding.original.string)]
    variables = {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}
    lacks_token = "DISCORD_TOKEN" not in variables and not os.environ.get("DISCORD_TOKEN")
    for binding in bindings:
        line = binding.original.line + binding.original.string[: -len(binding.original.string.lstrip())].count("\n")
        if binding.error or (lacks_token and _TOKEN_NAME.search(binding.original.string)):
            raise Failure(2, f"{path}, line {line} can't be read. Write NAME=value, such as DISCORD_TOKEN=abc.")
        if encoding == "latin-1" and not binding.original.string.partition("#")[0].isascii():
            raise Failure(2, f"{path}, line {line} is not UTF-8. Save the file as UTF-8.")
    os.environ |= {name: value for name, value in variables.items() if not os.environ.get(name)}


def _env_text(path: Path) -> tuple[str, str]:
    """Return the text of a file and its encoding: UTF-8, UTF-16 with a byte-order mark, or else Latin-1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Failure(2, f"{path} can't be read: {error.strerror}.") from error
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encodings = ("utf-16",) if is_utf16 else ("utf-8-sig", "latin-1")
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            if "\0" not in (text := data.decode(encoding)):
                return text, encoding
    raise Failure(2, f"{path} is not UTF-8. Save the file as UTF-8.")


def _is_comment(line: str) -> bool:
    return line.strip().startswith("#") or not line.strip()


def _token() -> str:
    """Return the token; empty if there is none. Raise Failure if it can't be one."""
    token = os.environ.get("DISCORD_TOKEN", "").strip()
    if not all("!" <= letter <= "~" for letter in token):
        raise Failure(2, f"DISCORD_TOKEN has a letter that no token has. Copy it again, from {_TOKENS}.")
    return token


def _escape_unprintable() -> None:
    """Let stdout and stderr write letters that their encoding lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bot.py", description="A Discord bot that runs Hugging Face models here.", allow_abbrev=False
    )
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), metavar="FILE", help="settings to use")
    parser.add_argument("--check-config", action="store_true", help="check the settings, then stop")
    parser.add_argument("--preview", action="store_true", help="start the preview even if there is a token")
    parser.add_argument("--port", type=int, default=_PREVIEW_PORT, help="of the preview (default %(default)s)")
    return parser


def _check(path: Path) -> int:
    from inference import TASK_NAMES

    config, engine = _load(path, probe=True)
    counts = {task: len(config.specs(task)) for task in TASK_NAMES}
    models = [f"{count} model{'s' * (count != 1)} for {task}" for task, count in counts.items() if count]
    print(f"{path} is fine: {', '.join(models) or 'it lists no models'}")
    statuses = asyncio.run(_statuses(engine))
    width = max((len(status.spec.name) for status in statuses), default=0)
    for status in statuses:
        print(f"  {status.spec.task:<9}  {status.spec.name:<{width}}  {_check_result(status)}")
    if any(status.state == "not downloaded" for status in statuses):
        print(f"The others are checked when you download them: .venv/bin/python -m inference --config {path} download")
    if without := [f"/{task}" for task, count in counts.items() if not count]:
        print(f"Switched off, since no model is listed for them: {', '.join(without)}")
    return 0


async def _statuses(engine: Engine) -> list[ModelStatus]:
    try:
        return await engine.statuses()
    finally:
        await engine.close()


def _check_result(status: ModelStatus) -> str:
    if status.state == "not downloaded":
        return "not checked: not downloaded yet"
    return f"checked: {status.way}" if status.way else "checked"


def _preview(port: int) -> int:
    # The login and the invite link of an offline Discord are not worth logging. Importing SimCord makes a client.
    logging.getLogger("discord").setLevel(logging.ERROR)
    logging.getLogger("cogs").setLevel(logging.WARNING)
    try:
        from preview import serve
    except ModuleNotFoundError as error:
        raise Failure(
            1, f"The preview needs {error.name}. Install it with: pip install -r requirements-starter.txt"
        ) from error
    from inference import ConfigError, InferenceError, addressed_to_operator

    try:
        with contextlib.suppress(KeyboardInterrupt):  # Windows
            asyncio.run(_until_stopped(serve(port, create_bot)))
    except (ConfigError, InferenceError) as error:
        raise Failure(2, addressed_to_operator(str(error))) from error
    except Exception as error:
        logging.getLogger("preview").debug("the error that ended the preview", exc_info=error)
        problem = f"{type(error).__name__}: {error}".partition("\n")[0]
        sentence = f"The preview has ended because of an error ({problem}). Start it again with make run."
        raise Failure(1, sentence) from error
    print("The preview has ended.")
    return 0


def _serve(path: Path, token: str) -> int:
    import aiohttp
    import discord

    from cogs.metrics.server import AddressUnavailable
    from storage import StorageError

    config, engine = _load(path)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot has no voice
    try:
        asyncio.run(_until_stopped(_log_in(create_bot(config, engine), engine, token)))
    except (StorageError, AddressUnavailable) as error:
        raise Failure(1, str(error)) from error
    except discord.LoginFailure as error:
        raise Failure(1, f"Discord refused the token. Copy a new one into DISCORD_TOKEN, from {_TOKENS}.") from error
    except (aiohttp.ClientError, TimeoutError, discord.DiscordException) as error:
        raise Failure(1, f"Discord can't be reached ({error}). Check the network, then start the bot again.") from error
    return 0


def _load(path: Path, *, probe: bool = False) -> tuple[Config, Engine]:
    """Load settings that this machine can satisfy. This imports torch, so it runs before the event loop starts."""
    from inference import ConfigError, addressed_to_operator, create_engine, load_config

    try:
        config = load_config(path)
    except ConfigError as error:
        raise Failure(2, str(error)) from error
    set_up_logging(config.log, config.log_level)
    engine = create_engine(config)
    if problems := engine.problems(probe=probe):
        raise Failure(2, addressed_to_operator(str(ConfigError(path, problems))))
    return config, engine


async def _log_in(bot: commands.Bot, engine: Engine, token: str) -> None:
    """Run the bot; at the end, close the open sessions before the engine."""
    try:
        await bot.start(token)
    finally:
        await bot.close()
        await engine.close()


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or until SIGINT or SIGTERM cancels it."""
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
