"""/fill: the likeliest words for the blanks of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Text, models_of
from cogs.reply import InteractionPlace, Page, neutral
from cogs.reply.text import bar
from inference import Filling, FillRequest, Prediction

if TYPE_CHECKING:
    from cogs.client import Inkling


class Fill(commands.Cog):
    """Missing words."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs

    @app_commands.command()
    @app_commands.describe(text="A text with one or more blanks: [MASK] or ___", model="Who guesses")
    @app_commands.autocomplete(model=models_of("fill"))
    async def fill(self, interaction: discord.Interaction, text: Text, model: str = "") -> None:
        """Guess the missing words of a text."""
        request = FillRequest(text=text, model=model, owner=str(interaction.user.id))
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            filling = await job.run(request, Filling)
            await job.finish(Page(neutral(filling.text) + "".join(_tables(filling)), plain=filling.text))


def _tables(filling: Filling) -> list[str]:
    """The words for each blank, as bars; numbered when there are several blanks."""
    several = len(filling.blanks) > 1
    return [
        (f"\n**Blank {number}**" if several else "") + _table(predictions)
        for number, predictions in enumerate(filling.blanks, 1)
    ]


def _table(predictions: Sequence[Prediction]) -> str:
    """Lines in code type, so that the bars stand below one another."""
    words = [prediction.word.strip().replace("`", "'") for prediction in predictions]
    width = max(map(len, words), default=0)
    rows = zip(words, predictions, strict=True)
    return "".join(f"\n`{word:<{width}} {bar(guess.score)} {guess.score:>4.0%}`" for word, guess in rows)
