"""Moderation by people: reports of the bot's messages, and the people whom admins have blocked on their server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common.rules import ANYWHERE
from cogs.i18n import gettext_noop
from cogs.moderation.member_block_form import MemberBlockForm
from cogs.moderation.panel_control import ModerationControl
from cogs.moderation.personal_data import PersonalBlocks, PersonalReports, PersonalSentAnswers
from cogs.moderation.report_button import ReportButton
from cogs.moderation.report_form import ReportForm


class Moderation(commands.Cog):
    """The menu "Report", and what admins do about reports. A server's blocks are deleted when the bot leaves it."""

    def __init__(self, bot: Inkling) -> None:
        self.blocks = bot.store.blocks
        about = {"about": gettext_noop("Sends a message of mine to the admins of this server, with your reason.")}
        menu = app_commands.ContextMenu(name="Report", callback=self.report, extras={ANYWHERE: True} | about)
        bot.tree.add_command(menu)
        bot.add_dynamic_items(ReportButton, ModerationControl)
        bot.forms += [ReportForm, MemberBlockForm]
        bot.personal_data += [
            PersonalSentAnswers(bot.store.sent_answers),
            PersonalReports(bot.store.reports),
            PersonalBlocks(bot.store.blocks),
        ]

    async def report(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open a form for the reason; this is the menu "Report"."""
        await ReportForm.open(interaction, message)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.blocks.forget_server(guild.id)
