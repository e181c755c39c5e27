"""The unmodified bot on an offline Discord in the browser: `make run` shows it without a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from discord.ext import commands

from inference import ConfigError, Engine, Observers, create_backend, load_config
from preview.engine import PreviewEngine
from preview.environment import PreviewEnv
from preview.fixtures import create_fixtures, set_clock
from preview.link import link_secret
from preview.page import PreviewPage
from starter.smollm2 import prepare

_CONFIG = Path(__file__).parent.parent / "starter" / "config.yaml"

CreateBot = Callable[[Engine], commands.AutoShardedBot]
"""Creates the bot for the preview."""


async def serve(port: int, create_bot: CreateBot) -> None:
    """Serve the preview on 127.0.0.1 until the session is ended in the page or the task is cancelled.

    If `port` is in use, another one is used. Raise ModelUnavailable without the starter's text model, and ConfigError
    if this machine can't run the models in the starter's config.
    """
    print("The preview is starting, which takes some seconds.", flush=True)
    engine = await asyncio.to_thread(_ready_engine)
    async with opened(engine, create_bot, port, link_secret(engine.config.data)) as page:
        if f":{port}/" not in page.url:
            print(f"Port {port} is in use, so another one is taken.", flush=True)
        print(_welcome(page.url), flush=True)
        await page.run()


def _ready_engine() -> PreviewEngine:
    """Convert the text model if needed, which takes half a minute, and check the files of the models."""
    config = load_config(_CONFIG)
    prepare(config.data)
    observers = Observers()
    engine = PreviewEngine(config, create_backend(config, observers), observers)
    if problems := engine.problems():
        raise ConfigError(_CONFIG, problems)
    return engine


@asynccontextmanager
async def opened(engine: PreviewEngine, create_bot: CreateBot, port: int, secret: str) -> AsyncGenerator[PreviewPage]:
    """Start the bot with `engine` on an offline Discord, and yield the page that shows it. `secret` is in its link."""
    with TemporaryDirectory() as data:  # the offline Discord keeps no messages, so the bot need not keep its data
        own = engine.config.model_copy(update={"data": Path(data)})
        engine.config = own.with_lines(lambda _: 0)  # not those of a file, which are read again when it changes
        engine.env = env = PreviewEnv(create_bot(engine))
        set_clock(env)
        await env.start()
        try:
            fixtures = await create_fixtures(env)
            env.in_use = True
            async with PreviewPage(env, fixtures, port, secret, engine.acting) as page:
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
