"""/summarize and the menu "Summarize": the short of a text, a file, a message, or of what was written in a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Text, models_of
from cogs.reply import InteractionPlace
from cogs.reply.sources import text_given, text_of_message
from cogs.summarize.catch_up import catch_up
from cogs.summarize.share import Share
from cogs.summarize.stretch import Stretch, since_choices
from cogs.summarize.telling import tell_summary
from inference import InvalidRequest, Length, SummarizeRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

__all__ = ["Summarize", "tell_summary"]


class Summarize(commands.Cog):
    """Summaries."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.tree.add_command(app_commands.ContextMenu(name="Summarize", callback=self.summarize_message))
        bot.add_dynamic_items(Share)
        self.sharing: set[int] = set()
        """Ids of the messages that are being shared right now."""

    @app_commands.command()
    @app_commands.describe(
        text="A text",
        file="A file: .txt, .md, .pdf, .docx, .html or .csv",
        messages="How many of the last messages; only you see that summary",
        since="Everything since a message (its link), or since your last message",
        channel="The channel, thread or forum post to read, if not this one",
        length="How long the summary should be",
        model="Who summarizes",
    )
    @app_commands.autocomplete(model=models_of("summarize"), since=since_choices)
    async def summarize(
        self,
        interaction: discord.Interaction,
        text: Text | None = None,
        file: discord.Attachment | None = None,
        messages: app_commands.Range[int, 2] | None = None,
        since: str | None = None,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        length: Length = "medium",
        model: str = "",
    ) -> None:
        """Summarize a text, a file, or what was written in a channel or thread."""
        settings = SummarizeRequest(text="…", length=length, model=model, owner=str(interaction.user.id))
        stretch = Stretch(messages, since, channel.id if channel else None)
        async with self.jobs.open(InteractionPlace(interaction, private=stretch.wanted)) as job:
            job.check(settings)
            _check_one_source(text, file, stretch)
            if stretch.wanted:
                await catch_up(job, interaction, stretch, settings)
            else:
                await tell_summary(job, await text_given(job, text, file), settings)

    async def summarize_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        request = SummarizeRequest(text="…", owner=str(interaction.user.id))
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            job.check(request)
            await tell_summary(job, await text_of_message(job, message), request, message.jump_url)


def _check_one_source(text: str | None, file: discord.Attachment | None, stretch: Stretch) -> None:
    if [text is not None, file is not None, stretch.wanted].count(True) != 1:
        raise InvalidRequest(
            "Give one of these: a text, a file, or messages of a channel (`messages`, `since` or `channel`)."
        )
