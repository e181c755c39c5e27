"""Catching up with a channel: for the person who asks alone, who may then share it there."""

from __future__ import annotations

from dataclasses import replace

import discord

from cogs.reply import Job
from cogs.summarize.sections import caught_up
from cogs.summarize.share import share_button
from cogs.summarize.stretch import Stretch, read
from cogs.summarize.telling import Reading
from inference import SummarizeRequest, Summary


async def catch_up(job: Job, interaction: discord.Interaction, stretch: Stretch, settings: SummarizeRequest) -> None:
    """Read and summarize. What was said in another channel stays with the person who asked: others here may not
    read that channel, so there is no button to share it."""
    channel, past = await read(job, interaction, stretch)
    request = replace(settings, text=past.text, borders=past.borders)
    summary = await job.run(request, Summary, Reading(past.coverage()))
    page = caught_up(summary, past, interaction.filesize_limit)
    here = channel.id == interaction.channel_id
    await job.finish(page, share_button(job.owner) if here else None)
