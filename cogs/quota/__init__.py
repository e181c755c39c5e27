"""/quota: how long models have worked for a person today, and what is left. The cog also counts that time."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common.help_texts import PRIVATE
from cogs.common.rules import ANYWHERE, origin_of
from cogs.i18n.locale import use_locale_of
from cogs.quota.personal_data import PersonalUse
from cogs.quota.rendering import quota_text
from inference import DeviceUsed, Observation
from storage import StorageError

log = logging.getLogger(__name__)

_PAUSE = 3.0
"""Seconds from the first use that is not on disk to the next write: what a kill can lose."""


class Quota(commands.Cog):
    """The command about quotas, and the observer of the engine that counts the use of devices."""

    def __init__(self, bot: Inkling) -> None:
        self.quotas = bot.quotas
        self.store = bot.store
        self._writing: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._unloaded = False
        bot.engine.observe(self._count)
        bot.personal_data.append(PersonalUse(bot.store.device_use, bot.quotas.clock))

    async def cog_unload(self) -> None:
        self._unloaded = True
        if self._writing:
            self._writing.cancel()

    @app_commands.command(extras={ANYWHERE: True} | PRIVATE)
    async def quota(self, interaction: discord.Interaction) -> None:
        """See how much computing time you have used today, and what is left."""
        use_locale_of(interaction, self.store.settings)
        manages = interaction.guild_id is not None and interaction.permissions.manage_guild
        text = quota_text(self.quotas, origin_of(interaction), manages=manages)
        await interaction.response.send_message(text, ephemeral=True)

    def _count(self, observation: Observation) -> None:
        """Count the use of a device, on any thread, and let it be written soon."""
        if isinstance(observation, DeviceUsed):
            self.quotas.count(observation.owner, observation.group, observation.seconds)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._write_soon)

    def _write_soon(self) -> None:
        if not self._unloaded and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        await asyncio.sleep(_PAUSE)
        try:
            await self.store.device_use.flush()
        except StorageError as error:
            log.error("the use of the devices is not on disk, and is written with the next one: %s", error)
