"""A file that is fresh while the bot is connected and its event loop turns: what a container's health check reads."""

from __future__ import annotations

import asyncio
from pathlib import Path

from discord.ext import commands, tasks

from cogs.client import Inkling


class Heartbeat(commands.Cog):
    """Touches `heartbeat` in the data folder every half minute."""

    def __init__(self, bot: Inkling) -> None:
        self._path = bot.config.data / "heartbeat"
        self._connected = False

    async def cog_load(self) -> None:
        self.beat.start()

    async def cog_unload(self) -> None:
        self.beat.cancel()

    @tasks.loop(seconds=30)
    async def beat(self) -> None:
        """Once."""
        if self._connected:
            await asyncio.to_thread(_touch, self._path)

    @commands.Cog.listener("on_connect")
    @commands.Cog.listener("on_resumed")
    async def connected(self) -> None:
        """The gateway is open."""
        self._connected = True

    @commands.Cog.listener("on_disconnect")
    async def disconnected(self) -> None:
        """It is not; discord.py tries again by itself."""
        self._connected = False


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
