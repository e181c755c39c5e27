"""/fill: the likeliest words for the blanks of a text, and buttons that put them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.examples import examples
from cogs.fill.buttons import Choose, choices
from cogs.fill.wording import shown
from cogs.language import later
from cogs.options import Text, models_of
from cogs.reply import InteractionPlace
from inference import Filling, FillRequest

if TYPE_CHECKING:
    from cogs.client import Inkling


class Fill(commands.Cog):
    """Missing words."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.add_dynamic_items(Choose)

    @app_commands.command(
        extras=examples(
            {"text": later("The capital of France is ___.")},
            {"text": later("She put the ___ on the ___.")},
        )
    )
    @app_commands.describe(text="A text with one or more blanks: [MASK] or ___", model="Who guesses")
    @app_commands.autocomplete(model=models_of("fill"))
    async def fill(self, interaction: discord.Interaction, text: Text, model: str = "") -> None:
        """Guess the missing words of a text."""
        request = FillRequest(text=text, model=model, owner=str(interaction.user.id))
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            filling = await job.run(request, Filling)
            page = shown(text, filling)
            await job.finish(page, choices(job.owner, filling, page))
