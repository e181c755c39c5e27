"""The bot itself, unmodified, on an offline Discord in the browser: what `make run` shows without a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from discord.ext import commands
from simcord.env import Env

from inference import Config, ConfigError, Engine, create_backend, load_config
from preview.engine import PreviewEngine
from preview.fixtures import furnish, set_the_clock
from preview.page import PreviewPage
from starter.smollm2 import prepare

_PATIENCE = 120.0
"""Seconds that SimCord waits for the bot to come to rest, models at work not counted."""

_CONFIG = Path(__file__).parent.parent / "starter" / "config.yaml"

CreateBot = Callable[[Config, Engine], commands.Bot]
"""The bot that the preview shows is its caller's."""


async def serve(port: int, create_bot: CreateBot) -> None:
    """Serve the preview on 127.0.0.1 until the session is ended in the page, or the task is cancelled.

    Another port is taken when `port` is in use. Raises ModelUnavailable without the starter's text model, ConfigError
    when this machine can't run what the starter's settings list.
    """
    print("The preview is starting, which takes some seconds.", flush=True)
    engine = await asyncio.to_thread(_ready_engine)
    async with opened(engine, create_bot, port) as page:
        print(_welcome(page.url), flush=True)
        await page.run()


def _ready_engine() -> PreviewEngine:
    """Blocks for seconds: makes the text model, once, and imports torch, while there is no page to hold up."""
    config = load_config(_CONFIG)
    prepare(config.data)
    engine = PreviewEngine(config, create_backend(config))
    if problems := engine.problems():
        raise ConfigError(_CONFIG, problems)
    return engine


@asynccontextmanager
async def opened(engine: PreviewEngine, create_bot: CreateBot, port: int) -> AsyncGenerator[PreviewPage]:
    """The bot on `engine`, logged in to an offline Discord, and the page that shows it."""
    with TemporaryDirectory() as data:  # the offline Discord forgets all messages, so the bot may forget what it kept
        config = engine.config.model_copy(update={"data": Path(data)})
        engine.env = env = Env(create_bot(config, engine), check_errors=False, settle_timeout=_PATIENCE)
        set_the_clock(env)
        await env.start()
        try:
            async with PreviewPage(env, await furnish(env), port, engine.acting) as page:
                yield page
        finally:
            await env.bot.close()
            await env.shutdown()
            await engine.close()


def _welcome(url: str) -> str:
    return (
        "Inkling runs on an offline Discord, with small starter models.\n"
        f"  Open it:      {url}\n"
        "  Real server:  put DISCORD_TOKEN=… into .env and start again. README.md says where to get one.\n"
        "  Stop:         Ctrl-C"
    )
