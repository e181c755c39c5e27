"""The bot itself, unmodified, on an offline Discord in the browser: what `make run` shows without a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from simcord.env import Env

from bot import create_bot
from inference import Backend, Config, load
from inference.backends.local import LocalBackend
from preview.engine import PreviewEngine
from preview.page import Page
from preview.world import furnish, set_the_clock
from starter.smollm2 import prepare

_PATIENCE = 120.0
"""Seconds that SimCord waits for the bot to come to rest, models at work not counted."""

_CONFIG = Path(__file__).parent.parent / "starter" / "config.yaml"


async def serve(port: int) -> None:
    """Serve the preview on 127.0.0.1 until the session is ended in the page, or the task is cancelled.

    Another port is taken when `port` is in use. Raises ModelUnavailable without the starter model.
    """
    config = load(_CONFIG)
    await asyncio.to_thread(prepare, config.data)
    async with opened(config, LocalBackend(config), port) as page:
        print(_welcome(page.url), flush=True)
        await page.run()


@asynccontextmanager
async def opened(config: Config, backend: Backend, port: int) -> AsyncGenerator[Page]:
    """The bot on `backend`, logged in to an offline Discord, and the page that shows it."""
    engine = PreviewEngine(config, backend)
    engine.env = env = Env(create_bot(config, engine), check_errors=False, settle_timeout=_PATIENCE)
    set_the_clock(env)
    await env.start()
    try:
        async with Page(env, await furnish(env), port) as page:
            yield page
    finally:
        await engine.close()
        await env.shutdown()


def _welcome(url: str) -> str:
    return (
        "Inkling runs on an offline Discord, with a small starter model.\n"
        f"  Open it:      {url}\n"
        "  Real server:  put DISCORD_TOKEN=… into .env and start again. README.md says where to get one.\n"
        "  Stop:         Ctrl-C"
    )
