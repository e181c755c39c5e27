"""/mood and its menu: the mood of a text, or of a channel's messages over time."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder
from cogs.common.help_texts import PRIVATE, TEXTS, examples
from cogs.common.history_range import HistoryRange, since_choices
from cogs.common.options import Text, models_of
from cogs.common.sources import text_of_message
from cogs.i18n import gettext_noop
from cogs.mood.service import show_mood, show_mood_chart
from inference import InvalidRequest, SentimentRequest

__all__ = ["Moods", "show_mood"]


class Moods(commands.Cog):
    """The commands that show the mood of texts, only to the person who asks."""

    help_group = TEXTS

    def __init__(self, bot: Inkling) -> None:
        self.sessions = bot.sessions
        about = {"about": gettext_noop("Tells how pleasant its text sounds, to you alone.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Mood", callback=self.mood_of_message, extras=about))

    @app_commands.command(
        extras=PRIVATE
        | examples(
            {"text": gettext_noop("What a lovely day")},
            {"messages": 100},
        )
    )
    @app_commands.describe(
        text="A text",
        messages="How many of the last messages, as a chart",
        since="Everything since a message (its link), or since your last message",
        channel="The channel, thread or forum post to read, if not this one",
        model="Which model",
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
        history_range = HistoryRange(messages, since, channel.id if channel else None)
        owner = str(interaction.user.id)
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            checked = session.check(SentimentRequest(model=model, owner=owner), pending=["texts"])
            if (text is not None) == history_range.wanted:
                raise InvalidRequest("Give either a text, or messages of a channel (`messages`, `since` or `channel`).")
            if text is None:
                await show_mood_chart(session, interaction, history_range, checked)
            else:
                await show_mood(session, checked, text, text_source="typed")

    async def mood_of_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Show the mood of a message; this is the menu "Mood"."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            checked = session.check(SentimentRequest(owner=str(interaction.user.id)), pending=["texts"])
            text = await text_of_message(session, message)
            await show_mood(session, checked, text, text_source="chosen")
