"""Whether a channel is for adults."""

from __future__ import annotations

import discord

_RESTRICTABLE = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel)


def age_restricted(channel: object) -> bool:
    """Return whether Discord marks `channel` as age-restricted.

    Threads and forum posts follow their parent. Direct messages and unknown channels count as not restricted.
    """
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return isinstance(channel, _RESTRICTABLE) and channel.is_nsfw()
