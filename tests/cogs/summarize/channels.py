"""Helpers that fill channels, and create threads and forum posts."""

from __future__ import annotations

import discord
from simcord import ChannelHandle

from inference import SummarizeRequest
from tests.cogs.stage import Stage


async def send_messages(stage: Stage, channel: ChannelHandle, count: int) -> None:
    """Send `count` messages of Alice and Bob in turn: `message 0`, `message 1`, …"""
    for number in range(count):
        person = (stage.alice, stage.bob)[number % 2]
        stage.env.backend.create_message(channel.id, person.id, f"message {number}")
    await stage.env.settle()


async def create_thread(stage: Stage, within: ChannelHandle | None = None, *, private: bool = False) -> ChannelHandle:
    """Create a thread of the bot in a channel."""
    parent = within or stage.channel
    channel = stage.bot.get_channel(parent.id)
    assert isinstance(channel, discord.TextChannel)
    kind = discord.ChannelType.private_thread if private else discord.ChannelType.public_thread
    made = await channel.create_thread(name="side", type=kind)
    await stage.env.settle()
    return next(handle for handle in parent.threads if handle.id == made.id)


async def create_forum_post(stage: Stage) -> tuple[ChannelHandle, ChannelHandle]:
    """Create a forum and a post in it."""
    forum = stage.guild.create_forum_channel("ideas")
    channel = stage.bot.get_channel(forum.id)
    assert isinstance(channel, discord.ForumChannel)
    await channel.create_thread(name="A garden", content="by the bot")
    await stage.env.settle()
    return forum, forum.threads[0]


def summarized_texts(stage: Stage) -> list[str]:
    """Return the text of each request to summarize."""
    return [request.text for request in stage.backend.requests if isinstance(request, SummarizeRequest)]
