"""Where Discord keeps the young out."""

from __future__ import annotations

import discord

_MARKED = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel)


def age_restricted(channel: object) -> bool:
    """Whether `channel` is for adults alone, as Discord marks it.

    Threads and the posts of a forum follow their parent. Direct messages, and whatever is not known for certain,
    count as not restricted.
    """
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return isinstance(channel, _MARKED) and channel.is_nsfw()
