"""/summarize and the menu "Summarize": the short of a text, a file, a message, or of what was written in a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.examples import examples, seen
from cogs.language import later, tr
from cogs.options import Text, models_of
from cogs.reply import InteractionPlace, Job
from cogs.reply.claims import Claims
from cogs.reply.sources import check_files, joined, source_of_file, text_of_message
from cogs.reply.stretch import Stretch, since_choices
from cogs.summarize.catch_up import catch_up
from cogs.summarize.share import Share
from cogs.summarize.telling import tell_summary
from inference import InvalidRequest, Length, SummarizeRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

__all__ = ["Summarize", "tell_summary"]


class Summarize(commands.Cog):
    """Summaries; `claims` are those that are being shared."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        about = {"about": later("Sums up its text.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Summarize", callback=self.summarize_message, extras=about))
        bot.add_dynamic_items(Share)
        self.claims = Claims(later("This summary is being shared already."))

    @app_commands.command(
        extras=seen(
            later(
                "Only you see a summary of messages, until you share it. Everybody here sees any other, unless "
                "/settings or /server-settings say otherwise."
            )
        )
        | examples(
            {"since": later("my last message")},
            {"messages": 200, "length": "bullets"},
            {"file": later("minutes.pdf"), "length": "short"},
        )
    )
    @app_commands.describe(
        text="A text",
        file="A file: text, PDF, Word, web page or table",
        messages="How many of the last messages; only you see that summary",
        since="Everything since a message (its link), or since your last message",
        channel="The channel, thread or forum post to read, if not this one",
        length="How long the summary should be",
        model="Who summarizes",
        file2="Another file",
        file3="Another file",
        file4="Another file",
        file5="Another file",
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
        file2: discord.Attachment | None = None,
        file3: discord.Attachment | None = None,
        file4: discord.Attachment | None = None,
        file5: discord.Attachment | None = None,
    ) -> None:
        """Summarize a text, a file, or what was written in a channel or thread."""
        settings = SummarizeRequest(text="…", length=length, model=model, owner=str(interaction.user.id))
        files = [each for each in (file, file2, file3, file4, file5) if each]
        stretch = Stretch(messages, since, channel.id if channel else None)
        async with self.jobs.open(InteractionPlace(interaction, private=stretch.wanted)) as job:
            job.check(settings)
            _check_one_source(text, files, stretch)
            if stretch.wanted:
                await catch_up(job, interaction, stretch, settings)
            elif files:
                await _tell_files(job, files, settings)
            else:
                await tell_summary(job, text or "", settings)

    async def summarize_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        request = SummarizeRequest(text="…", owner=str(interaction.user.id))
        async with self.jobs.open(InteractionPlace(interaction, private=message.flags.ephemeral)) as job:
            job.check(request)
            await tell_summary(job, await text_of_message(job, message), request, f"[{tr('jump')}]({message.jump_url})")


def _check_one_source(text: str | None, files: Sequence[discord.Attachment], stretch: Stretch) -> None:
    if [text is not None, bool(files), stretch.wanted].count(True) != 1:
        raise InvalidRequest(
            "Give one of these: a text, files, or messages of a channel (`messages`, `since` or `channel`)."
        )


async def _tell_files(job: Job, files: Sequence[discord.Attachment], settings: SummarizeRequest) -> None:
    """All files together; no part of the text reaches from one into the next."""
    check_files(job, files)
    source = joined([await source_of_file(job, file) for file in files])
    await tell_summary(job, source.text, replace(settings, borders=source.starts), ", ".join(source.origins))
