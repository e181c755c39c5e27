"""/operator, a panel for the owner of the bot's application, and a socket with its actions for the command line."""

from __future__ import annotations

import asyncio
import logging

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder
from cogs.common.help_texts import PRIVATE
from cogs.common.rules import ANYWHERE
from cogs.operator.actions import OperatorActions, check_operator
from cogs.operator.block_form import BlockForm
from cogs.operator.control_socket import ControlSocket
from cogs.operator.failures import FailureLog
from cogs.operator.file_watcher import FileWatcher
from cogs.operator.panel import panel_message
from cogs.operator.panel_control import OperatorControl
from inference import InferenceError


class Operator(commands.Cog):
    """The command, its panel, the socket, and the reading of config.yaml when it changes."""

    def __init__(self, bot: Inkling) -> None:
        self._bot = bot
        self._failures = FailureLog()
        self.actions = OperatorActions(bot, self._failures)
        bot.add_dynamic_items(OperatorControl)
        bot.forms.append(BlockForm)
        self._socket = ControlSocket(self.actions, bot.config.data)
        self.watcher: FileWatcher | None = None

    async def cog_load(self) -> None:
        logging.getLogger().addHandler(self._failures)
        await self._socket.start()
        if file := self._bot.config.file:
            loop = asyncio.get_running_loop()

            def changed() -> None:
                loop.call_soon_threadsafe(self._bot.dispatch, "config_changed")

            self.watcher = FileWatcher(file, changed)
            self.watcher.start()

    async def cog_unload(self) -> None:
        logging.getLogger().removeHandler(self._failures)
        if self.watcher:
            self.watcher.stop()
        await self._socket.stop()

    @commands.Cog.listener()
    async def on_config_changed(self) -> None:
        """Read config.yaml again: the file has changed, or the process got SIGHUP. The log says what came of it."""
        try:
            await self.actions.reload()
        except InferenceError as error:
            logging.getLogger(__name__).debug("config.yaml was not applied", exc_info=error)

    @app_commands.command(name="operator", extras={ANYWHERE: True} | PRIVATE)
    @app_commands.default_permissions(administrator=True)
    async def operator(self, interaction: discord.Interaction) -> None:
        """For the bot's operator: devices, models, settings, failures, servers and blocks."""
        async with self._bot.sessions.open(InteractionResponder.of(interaction)):
            await check_operator(self._bot, interaction.user.id)
            await interaction.response.send_message(**panel_message(self._bot, self.actions), ephemeral=True)
