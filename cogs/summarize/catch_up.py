"""Catching up with a channel: for the person who asks alone, who may then share it there."""

from __future__ import annotations

import discord

from cogs.common import ReplySession
from cogs.common.history_range import HistoryRange, read_history
from cogs.common.rules import settings_of
from cogs.summarize.rendering import channel_summary
from cogs.summarize.service import ReadingProgress
from cogs.summarize.share_button import share_button
from inference import CheckedRequest, SummarizeRequest, Summary


async def catch_up(
    session: ReplySession,
    interaction: discord.Interaction,
    history: HistoryRange,
    checked: CheckedRequest[SummarizeRequest],
) -> None:
    """Read and summarize, with a button to share it."""
    channel, past = await read_history(session, interaction, history)
    summary = await session.run(
        checked, Summary, ReadingProgress(past.coverage()), text=past.text, boundaries=past.boundaries
    )
    content = channel_summary(summary, past, interaction.filesize_limit)
    await session.finish(content, share_button(session.owner) if _can_be_shared(interaction, channel) else None)


def _can_be_shared(interaction: discord.Interaction, channel: discord.abc.MessageableChannel) -> bool:
    """Whether others are here who may read all that was read: those in another channel may not."""
    private = settings_of(interaction).server(interaction.guild_id).private
    return channel.id == interaction.channel_id and not interaction.context.dm_channel and not private
