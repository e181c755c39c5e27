"""The last messages of a channel, as far as the person who asks may read them."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from cogs.reply.sources import words
from inference import InvalidRequest

_HIDDEN = (
    "Discord hides these messages from me. The bot's operator can change that: Message Content Intent, under Bot at "
    "https://discord.com/developers/applications. Until then, use a message's menu (Apps, Summarize), or paste a text."
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """`Name: words`, one message after another, oldest first; `count` of them had words."""

    text: str
    count: int


def check_history(interaction: discord.Interaction) -> discord.abc.Messageable:
    """The channel, if both sides may read its past; raises InvalidRequest."""
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable):
        raise InvalidRequest("There are no messages to read here.")
    if interaction.guild_id and not interaction.permissions.read_message_history:
        raise InvalidRequest("You may not read the earlier messages of this channel, so I don't read them for you.")
    if interaction.guild_id and not interaction.app_permissions.read_message_history:
        raise InvalidRequest("I may not read the earlier messages here: I lack the Read Message History permission.")
    return channel


async def transcript(channel: discord.abc.Messageable, last: int, before: discord.abc.Snowflake) -> Transcript:
    """The `last` messages sent before `before`; raises InvalidRequest if nothing can be read."""
    try:
        messages = [message async for message in channel.history(limit=last, before=before)]
    except discord.Forbidden as error:
        raise InvalidRequest("I can't read this channel. Ask a moderator to add me to the server.") from error
    lines = [f"{message.author.display_name}: {text}" for message in reversed(messages) if (text := words(message))]
    if not lines:
        raise InvalidRequest(_HIDDEN if messages else "There are no messages before this one.")
    return Transcript("\n".join(lines), len(lines))
