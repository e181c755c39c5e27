"""/help, /models and /queue: what the bot can do, what it has, how busy it is. Only the person who asks sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.about.chooser import Topic, chooser
from cogs.about.help import page_of, topics
from cogs.about.models import models_page
from cogs.about.queue import queue_page
from cogs.examples import PRIVATE, examples
from cogs.language import later
from cogs.reply import InteractionPlace, Job
from cogs.reply.rules import ANYWHERE

if TYPE_CHECKING:
    from cogs.client import Inkling

__all__ = ["About", "tell_help"]

_EVERYWHERE = {ANYWHERE: True} | PRIVATE


class About(commands.Cog):
    """The bot itself."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self.jobs = bot.jobs
        bot.add_dynamic_items(Topic)

    @app_commands.command(extras=_EVERYWHERE | examples({"command": "/imagine"}, {"command": later("Replies")}))
    @app_commands.describe(command="What to show more of")
    async def help(self, interaction: discord.Interaction, command: str = "") -> None:
        """Show what I can do, with examples."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await tell_help(job, self.bot, interaction.permissions, command)

    @help.autocomplete("command")
    async def _topics(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        found = [topic for topic in topics(self.bot, interaction.permissions) if typed.lower() in topic.label.lower()]
        return [app_commands.Choice(name=topic.label[:100], value=topic.name) for topic in found[:25]]

    @app_commands.command(extras=_EVERYWHERE)
    async def models(self, interaction: discord.Interaction) -> None:
        """List the models: what each is for and good at, where it is, its size and licence."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await job.acknowledge()
            await job.finish(models_page(await job.engine.statuses()))

    @app_commands.command(extras=_EVERYWHERE)
    async def queue(self, interaction: discord.Interaction) -> None:
        """Show how many requests wait and run."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await job.acknowledge()
            await job.finish(queue_page(job.engine.queues()))


async def tell_help(job: Job, bot: Inkling, may: discord.Permissions, name: str = "") -> None:
    """The page of that name, or the overview, for somebody who `may` do that; below it a menu of the others."""
    await job.acknowledge()
    await job.finish(await page_of(bot, name, may), chooser(bot, name, may))
