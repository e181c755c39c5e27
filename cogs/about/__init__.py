"""/help, /models and /queue: the commands, the models and the queues, shown only to the person who asks."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.about.help_menu import HelpMenu, help_menu
from cogs.about.help_pages import page_of, topics
from cogs.about.models_page import models_page
from cogs.about.queue_page import queue_page
from cogs.client import Inkling
from cogs.common import InteractionResponder, ReplySession
from cogs.common.help_texts import PRIVATE, examples
from cogs.common.rules import ANYWHERE
from cogs.i18n import gettext_noop

__all__ = ["About", "show_help"]

_EVERYWHERE = {ANYWHERE: True} | PRIVATE


class About(commands.Cog):
    """The commands about the bot itself."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self.sessions = bot.sessions
        bot.add_dynamic_items(HelpMenu)

    @app_commands.command(extras=_EVERYWHERE | examples({"command": "/imagine"}, {"command": gettext_noop("Replies")}))
    @app_commands.describe(command="What to show more of")
    async def help(self, interaction: discord.Interaction, command: str = "") -> None:
        """Show what I can do, with examples."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            await show_help(session, self.bot, interaction.permissions, command)

    @help.autocomplete("command")
    async def _topics(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        found = [topic for topic in topics(self.bot, interaction.permissions) if typed.lower() in topic.label.lower()]
        return [app_commands.Choice(name=topic.label[:100], value=topic.name) for topic in found[:25]]

    @app_commands.command(extras=_EVERYWHERE)
    async def models(self, interaction: discord.Interaction) -> None:
        """List the models: what each is for and good at, where it is, its size and licence."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            await session.acknowledge(stored=False)
            await session.finish(models_page(await session.engine.statuses()))

    @app_commands.command(extras=_EVERYWHERE)
    async def queue(self, interaction: discord.Interaction) -> None:
        """Show how many requests wait and run."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            await session.acknowledge(stored=False)
            await session.finish(queue_page(session.engine.queues()))


async def show_help(session: ReplySession, bot: Inkling, permissions: discord.Permissions, name: str = "") -> None:
    """Show the page with this name, or the overview, for these permissions, and a menu of all pages below it."""
    await session.acknowledge(stored=False)
    await session.finish(await page_of(bot, name, permissions), help_menu(bot, name, permissions))
