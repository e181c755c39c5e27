"""The bot itself, unmodified, on an offline Discord in the browser: what `make run` shows without a token."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from inference import create_engine, load
from starter.smollm2 import prepare

if TYPE_CHECKING:
    from discord.ext import commands

_CONFIG = Path(__file__).parent.parent / "starter" / "config.yaml"
_PATIENCE = 900.0
"""Seconds that the page waits for the bot's last edit: as long as Discord's own tokens live."""


async def serve(port: int) -> None:
    """Serve the preview on 127.0.0.1 until the session is ended in the page, or the task is cancelled.

    Another port is taken when `port` is in use. Raises ModelUnavailable without the starter model.
    """
    from bot import create_bot

    _keep_quiet()
    config = load(_CONFIG)
    await asyncio.to_thread(prepare, config.data)
    engine = create_engine(config)
    await show(create_bot(config, engine), port)


async def show(bot: commands.Bot, port: int) -> None:
    """Put `bot` on an offline Discord and serve the page."""
    import simcord

    from preview.page import Page
    from preview.world import build

    async with simcord.run(bot, settle_timeout=_PATIENCE, check_errors=False) as env:
        world = await build(env)
        async with Page(env, world, port) as page:
            print(_welcome(page.url), flush=True)
            await page.closed()


def _keep_quiet() -> None:
    """Logging in, invite links and voice libraries mean nothing here, and would bury the link."""
    logging.getLogger("discord").setLevel(logging.ERROR)
    logging.getLogger("cogs").setLevel(logging.WARNING)


def _welcome(url: str) -> str:
    return (
        "Inkling runs on an offline Discord, with a small starter model.\n"
        f"  Open it:      {url}\n"
        "  Real server:  put DISCORD_TOKEN=… into .env and start again. README.md says where to get one.\n"
        "  Stop:         Ctrl-C"
    )
