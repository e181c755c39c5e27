"""Inkling: `python bot.py` starts the bot, or a preview of it in the browser when there is no token.

This is the composition root: arguments → settings → engine → bot. Slow imports stand inside the functions that need
them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discord.ext import commands

    from inference import Config, Engine, ModelStatus

_PREVIEW_PORT = 8787
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
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    read_env(Path(".env"))
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # read once, when transformers is imported
    token = os.environ.get("DISCORD_TOKEN", "").strip()
    try:
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
    """Add `NAME=value` lines to the environment; variables that are already set keep their values."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


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

    from storage import StorageError

    config, engine = _load(path)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot has no voice
    try:
        asyncio.run(_until_stopped(_log_in(create_bot(config, engine), engine, token)))
    except StorageError as error:
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
