"""/summarize and the menu "Summarize": summaries of a text, files, a message, or a channel's messages."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder, ReplySession
from cogs.common.help_texts import TEXTS, examples, visibility
from cogs.common.history_range import HistoryRange, since_choices
from cogs.common.options import Text, models_of
from cogs.common.sources import check_files, join_sources, source_of_file, text_of_message
from cogs.i18n import gettext_noop, tr
from cogs.summarize.catch_up import catch_up
from cogs.summarize.service import show_summary
from cogs.summarize.share_button import ShareButton
from inference import CheckedRequest, InvalidRequest, Length, SummarizeRequest

__all__ = ["Summarize", "show_summary"]


class Summarize(commands.Cog):
    """The commands that summarize."""

    help_group = TEXTS

    def __init__(self, bot: Inkling) -> None:
        self.sessions = bot.sessions
        about = {"about": gettext_noop("Sums up its text.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Summarize", callback=self.summarize_message, extras=about))
        bot.add_dynamic_items(ShareButton)

    @app_commands.command(
        extras=visibility(
            gettext_noop(
                "Only you see a summary of messages, until you share it. Everybody here sees any other, unless "
                "/settings or /server-settings say otherwise."
            )
        )
        | examples(
            {"since": gettext_noop("my last message")},
            {"messages": 200, "length": "bullets"},
            {"file": gettext_noop("minutes.pdf"), "length": "short"},
        )
    )
    @app_commands.describe(
        text="A text",
        file="A file: text, PDF, Office, book, mail or web page",
        messages="How many of the last messages; only you see that summary",
        since="Everything since a message (its link), or since your last message",
        channel="The channel, thread or forum post to read, if not this one",
        length="How long the summary should be",
        model="Which model",
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
        request = SummarizeRequest(length=length, model=model, owner=str(interaction.user.id))
        files = [each for each in (file, file2, file3, file4, file5) if each]
        history_range = HistoryRange(messages, since, channel.id if channel else None)
        async with self.sessions.open(InteractionResponder.of(interaction, private=history_range.wanted)) as session:
            checked = session.check(request, pending=["text"])
            _check_one_source(text, files, history_range)
            if history_range.wanted:
                await catch_up(session, interaction, history_range, checked)
            elif files:
                await _show_summary_of_files(session, checked, files)
            else:
                await show_summary(session, checked, text or "", text_source="typed")

    async def summarize_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Summarize a message; this is the menu "Summarize"."""
        request = SummarizeRequest(owner=str(interaction.user.id))
        async with self.sessions.open(InteractionResponder.of(interaction, private=message.flags.ephemeral)) as session:
            checked = session.check(request, pending=["text"])
            text = await text_of_message(session, message)
            read = f"[{tr('jump')}]({message.jump_url})"
            await show_summary(session, checked, text, read, text_source="chosen")


def _check_one_source(text: str | None, files: Sequence[discord.Attachment], history_range: HistoryRange) -> None:
    if [text is not None, bool(files), history_range.wanted].count(True) != 1:
        raise InvalidRequest(
            "Give one of these: a text, files, or messages of a channel (`messages`, `since` or `channel`)."
        )


async def _show_summary_of_files(
    session: ReplySession, checked: CheckedRequest[SummarizeRequest], files: Sequence[discord.Attachment]
) -> None:
    """Summarize all files together; no part of the text spans two files."""
    check_files(session, files)
    source = join_sources([await source_of_file(session, file) for file in files])
    read = " · ".join(filter(None, [", ".join(source.origins), source.note]))
    await show_summary(session, checked, source.text, read, source.starts, text_source="chosen")
