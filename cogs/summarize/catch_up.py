"""Summaries of a channel's messages, shown only to the person who asks, who may then share them there."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from cogs.common import ReplyJob, ReplySession
from cogs.common.channel_history import Transcript
from cogs.common.history_range import HistoryRange, read_history
from cogs.common.rules import settings_of
from cogs.summarize.rendering import channel_summary
from cogs.summarize.service import ReadingProgress
from cogs.summarize.share_button import share_button
from inference import CheckedRequest, SummarizeRequest, Summary, serializable


@serializable
@dataclass(frozen=True, slots=True)
class CatchUpJob(ReplyJob):
    """The summary of a channel's messages. `shareable`: whether it gets a button that posts it for everybody."""

    checked: CheckedRequest[SummarizeRequest]
    transcript: Transcript
    shareable: bool

    async def answer(self, session: ReplySession) -> None:
        summary = await session.run(self.checked, Summary, ReadingProgress(self.transcript.coverage()))
        content = channel_summary(summary, self.transcript, session.target.upload_limit)
        await session.finish(content, share_button(session.owner) if self.shareable else None)


async def catch_up(
    session: ReplySession,
    interaction: discord.Interaction,
    history_range: HistoryRange,
    checked: CheckedRequest[SummarizeRequest],
) -> None:
    """Read the messages and show a summary, with a button to share it."""
    channel, transcript = await read_history(session, interaction, history_range)
    checked = session.engine.with_inputs(
        checked, text=transcript.text, boundaries=transcript.boundaries, text_source="channel"
    )
    await session.perform(CatchUpJob(checked, transcript, _can_be_shared(interaction, channel)))


def _can_be_shared(interaction: discord.Interaction, channel: discord.abc.MessageableChannel) -> bool:
    """Return whether everybody here may read the messages, and there are others to share the summary with."""
    private = settings_of(interaction).server(interaction.guild_id).private
    return channel.id == interaction.channel_id and not interaction.context.dm_channel and not private
