"""Signs of life while the bot is connected and its event loop runs; one is a file for a container's health check."""

from __future__ import annotations

import asyncio
from pathlib import Path

from discord.ext import commands

from cogs.client import Inkling
from cogs.common.loops import every


class Heartbeat(commands.Cog):
    """A cog that calls the bot's `heartbeats` and touches `heartbeat` in the data folder every half minute."""

    def __init__(self, bot: Inkling) -> None:
        self._bot = bot
        self._path = bot.config.data / "heartbeat"

    async def cog_load(self) -> None:
        self.beat.start()

    async def cog_unload(self) -> None:
        self.beat.cancel()

    @every(30)
    async def beat(self) -> None:
        """Give all signs of life if the bot is connected."""
        if self._bot.gateway.is_connected:
            for give_sign in self._bot.heartbeats:
                give_sign()
            await asyncio.to_thread(_touch, self._path)


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
