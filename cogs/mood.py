"""/mood and its menu: whether a text sounds positive or negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Text, models_of
from cogs.reply import InteractionPlace, Job, Page, neutral, quoted
from cogs.reply.sources import text_of_message
from cogs.reply.text import bar
from inference import Moods as MoodsFound, SentimentRequest

if TYPE_CHECKING:
    from cogs.client import Inkling


class Moods(commands.Cog):
    """The sound of a text."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.tree.add_command(app_commands.ContextMenu(name="Mood", callback=self.mood_of_message))

    @app_commands.command()
    @app_commands.describe(text="The text", model="Who judges")
    @app_commands.autocomplete(model=models_of("mood"))
    async def mood(self, interaction: discord.Interaction, text: Text, model: str = "") -> None:
        """Tell whether a text sounds positive or negative."""
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            await tell_mood(job, SentimentRequest(texts=(text,), model=model, owner=str(interaction.user.id)))

    async def mood_of_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            text = await text_of_message(job, message)
            await tell_mood(job, SentimentRequest(texts=(text,), owner=str(interaction.user.id)))


async def tell_mood(job: Job, request: SentimentRequest) -> None:
    """The label and how sure the model is."""
    (mood,) = (await job.run(request, MoodsFound)).moods
    await job.finish(Page(f"{quoted(request.texts[0])}\n{neutral(mood.label)} {bar(mood.score)} {mood.score:.0%}"))
