"""Excludes the data of Discord servers from Python's garbage collection: many objects, of which none is garbage."""

from __future__ import annotations

import gc

from discord.ext import commands

from cogs.client import Inkling


class GarbageCollection(commands.Cog):
    """A cog that excludes all objects from garbage collection (`gc.freeze`) when a shard has received its servers.

    With thousands of servers, a full collection would stop the event loop for half a second every few seconds.
    """

    def __init__(self, _: Inkling) -> None:
        self._had_servers: set[int] = set()

    @commands.Cog.listener()
    async def on_shard_ready(self, shard: int) -> None:
        """Collect garbage once if this is a new session of the shard: the servers of the old one are garbage now."""
        if shard in self._had_servers:
            gc.unfreeze()
            gc.collect()
        self._had_servers.add(shard)
        gc.freeze()
