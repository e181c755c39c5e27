"""/settings and /server-settings: panels for the settings of people and servers."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common.help_texts import PRIVATE
from cogs.common.rules import ANYWHERE
from cogs.settings.controls import PanelControl
from cogs.settings.limits_form import LimitsForm
from cogs.settings.panel import panel_message
from cogs.settings.persona_form import PersonaForm
from cogs.settings.personal_data import PersonalSettings
from cogs.settings.quotas_form import QuotasForm


class SettingsPanels(commands.Cog):
    """The commands that open the panels. A server's settings are deleted when the bot leaves it."""

    def __init__(self, bot: Inkling) -> None:
        self.settings = bot.store.settings
        bot.add_dynamic_items(PanelControl)
        bot.forms += [LimitsForm, QuotasForm, PersonaForm]
        bot.personal_data.append(PersonalSettings(bot.store.settings))

    @app_commands.command(name="settings", extras={ANYWHERE: True} | PRIVATE)
    async def mine(self, interaction: discord.Interaction) -> None:
        """Choose your language, your models, and who sees your answers."""
        await interaction.response.send_message(**panel_message(interaction, "mine"), ephemeral=True)

    @app_commands.command(name="server-settings", extras={ANYWHERE: True} | PRIVATE)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_contexts(guilds=True)
    @app_commands.allowed_installs(guilds=True)
    async def server(self, interaction: discord.Interaction) -> None:
        """Choose where and for whom I work on this server, with which models and limits."""
        await interaction.response.send_message(**panel_message(interaction, "server"), ephemeral=True)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.settings.servers.forget(guild.id)
