"""Catching up with a channel: for the person who asks alone, who may then share it there."""

from __future__ import annotations

from dataclasses import replace

import discord

from cogs.reply import Job
from cogs.reply.rules import settings_of
from cogs.reply.stretch import Stretch, read_stretch
from cogs.summarize.sections import caught_up
from cogs.summarize.share import share_button
from cogs.summarize.telling import Reading
from inference import SummarizeRequest, Summary


async def catch_up(job: Job, interaction: discord.Interaction, stretch: Stretch, settings: SummarizeRequest) -> None:
    """Read and summarize, with a button to share it."""
    channel, past = await read_stretch(job, interaction, stretch)
    request = replace(settings, text=past.text, borders=past.borders)
    summary = await job.run(request, Summary, Reading(past.coverage()))
    page = caught_up(summary, past, interaction.filesize_limit)
    await job.finish(page, share_button(job.owner) if _can_be_shared(interaction, channel) else None)


def _can_be_shared(interaction: discord.Interaction, channel: discord.abc.MessageableChannel) -> bool:
    """Whether others are here who may read all that was read: those in another channel may not."""
    private = settings_of(interaction).server(interaction.guild_id).private
    return channel.id == interaction.channel_id and not interaction.context.dm_channel and not private
