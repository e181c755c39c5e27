"""/summarize and the menu "Summarize": the short of a text, a file, a message, or the last messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Text, models_of
from cogs.reply import InteractionPlace, Job, Page, neutral
from cogs.reply.history import check_history, transcript
from cogs.reply.sources import text_given, text_of_message
from inference import InvalidRequest, SummarizeRequest, Summary

if TYPE_CHECKING:
    from cogs.client import Inkling

_CHOICES = "a text, a file or a number of messages"


class Summarize(commands.Cog):
    """Summaries."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.tree.add_command(app_commands.ContextMenu(name="Summarize", callback=self.summarize_message))

    @app_commands.command()
    @app_commands.describe(
        text="A text",
        file="A text file",
        messages="How many of the last messages here; only you see that summary",
        model="Who summarizes",
    )
    @app_commands.autocomplete(model=models_of("summarize"))
    async def summarize(
        self,
        interaction: discord.Interaction,
        text: Text | None = None,
        file: discord.Attachment | None = None,
        messages: app_commands.Range[int, 2, 200] | None = None,
        model: str = "",
    ) -> None:
        """Summarize a text, a text file or the last messages of this channel."""
        request = SummarizeRequest(text="…", model=model, owner=str(interaction.user.id))
        async with self.jobs.open(InteractionPlace(interaction, private=messages is not None)) as job:
            job.check(request)
            if messages is None:
                source = await text_given(job, text, file, _CHOICES)
                await tell_summary(job, source, request)
            elif text is None and file is None:
                await self._catch_up(job, interaction, messages, request)
            else:
                raise InvalidRequest(f"Give {_CHOICES}, and only one of them.")

    async def _catch_up(self, job: Job, interaction: discord.Interaction, last: int, request: SummarizeRequest) -> None:
        channel = check_history(interaction)
        await job.acknowledge()
        past = await transcript(channel, last, discord.Object(interaction.id), interaction.client.user)
        await tell_summary(job, past.text, request, past.coverage())

    async def summarize_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        request = SummarizeRequest(text="…", owner=str(interaction.user.id))
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            job.check(request)
            await tell_summary(job, await text_of_message(job, message), request, message.jump_url)


async def tell_summary(job: Job, text: str, settings: SummarizeRequest, source: str = "") -> None:
    """Summarize `text` as `settings` say; `source` tells what was read."""
    request = SummarizeRequest(text=text, model=settings.model, owner=settings.owner)
    summary = await job.run(request, Summary)
    parts = f"read in {summary.parts} parts" if summary.parts > 1 else ""
    notes = ", ".join(note for note in (source, parts) if note)
    await job.finish(Page(neutral(summary.text) + (f"\n-# {notes}" if notes else ""), plain=summary.text))
