"""Helpers that read what the model was told, and what the bot said."""

from __future__ import annotations

from typing import Any

import discord

from inference import ChatRequest
from tests.cogs.stage import Stage


def newest_request(stage: Stage) -> ChatRequest:
    """Return the newest request, which is a reply in a conversation."""
    request = stage.backend.requests[-1]
    assert isinstance(request, ChatRequest)
    return request


def said(stage: Stage) -> list[tuple[str, str]]:
    """Return the messages of the newest request, as role and content."""
    return [(message.role, message.content) for message in newest_request(stage).messages]


async def replies(stage: Stage, channel: Any = None) -> list[discord.Message]:
    """Return the bot's messages in the channel, oldest first."""
    channel = stage.bot.get_channel((channel or stage.channel).id)
    return [message async for message in channel.history(oldest_first=True) if message.author == stage.bot.user]
