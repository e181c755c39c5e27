"""Deletion of stored data whose messages no longer exist."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from cogs.client import Inkling
from cogs.common.loops import every
from cogs.common.target import now
from storage import StorageError

log = logging.getLogger(__name__)


class Retention(commands.Cog):
    """A cog that deletes stored data when messages, channels or threads are deleted, or the bot leaves a server."""

    def __init__(self, bot: Inkling) -> None:
        self.store = bot.store

    async def cog_load(self) -> None:
        self.forget_expired.start()
        self.forget_ended.start()

    async def cog_unload(self) -> None:
        self.forget_expired.cancel()
        self.forget_ended.cancel()

    @every(600)
    async def forget_expired(self) -> None:
        """Delete expired data: answers of /ask, and messages that only one person saw."""
        try:
            await self.store.forget_expired(now())
        except StorageError as error:
            log.error("expired data could not be deleted; the next try is in ten minutes: %s", error)

    @every(10)
    async def forget_ended(self) -> None:
        """Delete the last traces of requests that have ended."""
        try:
            await self.store.jobs.end_again()
            await self.store.job_database.compact()
        except StorageError as error:
            log.error("traces of ended requests could not be deleted; the next try is in ten seconds: %s", error)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        await self.store.forget_messages([event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        await self.store.forget_messages(event.message_ids)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        # Each of its threads gets the event below, except archived ones, which discord.py does not know.
        await self.store.forget_channels([channel.id])

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        await self.store.forget_channels([event.thread_id])

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.store.forget_channels([channel.id for channel in (*guild.channels, *guild.threads)])
