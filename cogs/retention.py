"""Deletes what is stored of messages that are gone."""

from __future__ import annotations

import logging
import time

import discord
from discord.ext import commands, tasks

from cogs.client import Inkling
from storage import StorageError

log = logging.getLogger(__name__)


class Retention(commands.Cog):
    """Follows deletions of messages, channels and threads, and the bot's own leaving of servers."""

    def __init__(self, bot: Inkling) -> None:
        self.store = bot.store

    async def cog_load(self) -> None:
        self.forget_expired.start()

    async def cog_unload(self) -> None:
        self.forget_expired.cancel()

    @tasks.loop(hours=1)
    async def forget_expired(self) -> None:
        """Delete what was shown to one person alone and has expired."""
        try:
            await self.store.forget_expired(time.time())
        except StorageError as error:
            log.error("what has expired is still there; the next try is in an hour: %s", error)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        await self.store.forget_messages([event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        await self.store.forget_messages(event.message_ids)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        # Its threads follow one by one, in the event below, but for archived ones, which discord.py does not know.
        await self.store.forget_channels([channel.id])

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        await self.store.forget_channels([event.thread_id])

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.store.forget_channels([channel.id for channel in (*guild.channels, *guild.threads)])
