"""The last messages of a channel, as far as the person who asks may read them."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from cogs.reply.sources import visible, words
from inference import InvalidRequest

_HIDDEN = (
    "Discord hides these messages from me. The bot's operator can change that: Message Content Intent, under Bot at "
    "https://discord.com/developers/applications. Until then, use a message's menu (Apps, Summarize), or paste a text."
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """`Name: words`, one message after another, oldest first: `count` messages; Discord hid `hidden` more."""

    text: str
    count: int
    hidden: int

    def coverage(self, last: int) -> str:
        """How many of the `last` messages were read, and why not more."""
        read = f"{self.count} of the last {last} messages"
        if not self.hidden:
            return read
        return f"{read}; Discord hides the text of {self.hidden} from bots without the message content intent"


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


async def transcript(
    channel: discord.abc.Messageable, last: int, before: discord.abc.Snowflake, me: discord.ClientUser | None
) -> Transcript:
    """The `last` messages sent before `before`, without those of `me`; raises InvalidRequest if nothing can be read."""
    try:
        messages = [message async for message in channel.history(limit=last, before=before)]
    except discord.Forbidden as error:
        raise InvalidRequest("I can't read this channel. Ask a moderator to add me to the server.") from error
    others = [message for message in reversed(messages) if message.author != me]
    lines = [f"{message.author.display_name}: {text}" for message in others if (text := words(message))]
    hidden = sum(not visible(message) and not message.is_system() for message in others)
    if not lines:
        raise InvalidRequest(_HIDDEN if hidden else "There are no messages with words before this one.")
    return Transcript("\n".join(lines), len(lines), hidden)
