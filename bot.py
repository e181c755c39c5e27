"""Inkling: `python bot.py` starts the bot, or a preview of it in the browser when there is no token.

The composition root: arguments → settings → engine → bot. Whatever is slow to import is imported where it is used.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discord.ext import commands

    from inference import Config, Engine

_PREVIEW_PORT = 8787


def create_bot(config: Config, engine: Engine) -> commands.Bot:
    """The whole bot, ready to log in; the preview and the tests use the same one."""
    from cogs.client import Inkling

    return Inkling(config, engine)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, 1 when Discord can't be reached or refuses, 2 for wrong settings."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    read_env(Path(".env"))
    token = os.environ.get("DISCORD_TOKEN", "").strip()
    if not arguments.check_config and (arguments.preview or not token):
        return _preview(arguments.port)

    from inference import ConfigError, load

    try:
        config = load(arguments.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.check_config:
        print(f"{arguments.config} is fine: {_models(config)}")
        return 0
    return _serve(config, token)


def read_env(path: Path) -> None:
    """Add `NAME=value` lines to the environment, which wins over them."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bot.py", description="A Discord bot that runs Hugging Face models here.")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), metavar="FILE", help="settings to use")
    parser.add_argument("--check-config", action="store_true", help="check the settings, then stop")
    parser.add_argument("--preview", action="store_true", help="start the preview even if there is a token")
    parser.add_argument("--port", type=int, default=_PREVIEW_PORT, help="of the preview (default %(default)s)")
    return parser


def _models(config: Config) -> str:
    """`5 models for complete, 1 model for fill, …`"""
    from inference import TASKS

    counts = {task: len(config.specs(task)) for task in TASKS}
    return ", ".join(f"{count} model{'s' * (count != 1)} for {task}" for task, count in counts.items())


def _preview(port: int) -> int:
    from preview import serve

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(port))
    return 0


def _serve(config: Config, token: str) -> int:
    import aiohttp
    import discord

    from inference import InferenceError, create_engine

    try:
        engine = create_engine(config)  # imports torch, before there is an event loop to hold up
        asyncio.run(_run(create_bot(config, engine), engine, token))
    except InferenceError as error:
        print(error.user_message, file=sys.stderr)
        return 2
    except discord.LoginFailure:
        print(
            "Discord refused the token. Copy it again from https://discord.com/developers/applications "
            "(Bot → Reset Token) into DISCORD_TOKEN.",
            file=sys.stderr,
        )
        return 1
    except (aiohttp.ClientError, OSError) as error:
        print(f"Discord can't be reached ({error}). Check the network, then start the bot again.", file=sys.stderr)
        return 1
    return 0


async def _run(bot: commands.Bot, engine: Engine, token: str) -> None:
    """Until SIGINT, SIGTERM or a failed login; then let go of the devices."""
    running = asyncio.create_task(bot.start(token))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        logging.info("Stopping.")
    finally:
        await engine.close()
        await bot.close()


if __name__ == "__main__":
    sys.exit(main())
