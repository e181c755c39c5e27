"""/mood and its menu: whether a text sounds positive or negative, and how the mood of a channel went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.examples import PRIVATE, examples
from cogs.language import later
from cogs.mood.telling import tell_course, tell_mood
from cogs.options import Text, models_of
from cogs.reply import InteractionPlace
from cogs.reply.sources import text_of_message
from cogs.reply.stretch import Stretch, since_choices
from inference import InvalidRequest, SentimentRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

__all__ = ["Moods", "tell_mood"]


class Moods(commands.Cog):
    """The sound of texts; those alone who ask see it."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        about = {"about": later("Tells how pleasant its text sounds, to you alone.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Mood", callback=self.mood_of_message, extras=about))

    @app_commands.command(
        extras=PRIVATE
        | examples(
            {"text": later("What a lovely day")},
            {"messages": 100},
        )
    )
    @app_commands.describe(
        text="A text",
        messages="How many of the last messages, as a chart",
        since="Everything since a message (its link), or since your last message",
        channel="The channel, thread or forum post to read, if not this one",
        model="Who judges",
    )
    @app_commands.autocomplete(model=models_of("mood"), since=since_choices)
    async def mood(
        self,
        interaction: discord.Interaction,
        text: Text | None = None,
        messages: app_commands.Range[int, 2] | None = None,
        since: str | None = None,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        model: str = "",
    ) -> None:
        """Tell whether a text, or what was written in a channel, sounds positive or negative."""
        stretch = Stretch(messages, since, channel.id if channel else None)
        owner = str(interaction.user.id)
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            job.check(SentimentRequest(texts=("…",), model=model, owner=owner))
            if (text is not None) == stretch.wanted:
                raise InvalidRequest("Give either a text, or messages of a channel (`messages`, `since` or `channel`).")
            if text is None:
                await tell_course(job, interaction, stretch, model)
            else:
                await tell_mood(job, text, model)

    async def mood_of_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            job.check(SentimentRequest(texts=("…",)))
            await tell_mood(job, await text_of_message(job, message))
