"""Links to messages, followed only where both the person who asks and the bot may read."""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from cogs.common.reply_session import ReplySession
from cogs.common.sources.messages import fetch_message
from cogs.i18n import gettext_noop
from inference import InvalidRequest

_LINK = re.compile(
    r"https://(?:\w+\.)?discord(?:app)?\.com/channels/(?P<guild>@me|\d+)/(?P<channel>\d+)/(?P<message>\d+)"
)

_NOT_READABLE = gettext_noop(
    "I may not read that channel. I need View Channel and Read Message History there, in a voice channel Connect too; "
    "a moderator can grant them."
)

Channel = discord.abc.GuildChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class Link:
    """The ids in a link; `guild` is None for direct messages."""

    guild: int | None
    channel: int
    message: int


def leads_elsewhere(interaction: discord.Interaction, link: str) -> bool:
    """Return whether a link points to another channel, which other people may be able to read."""
    found = _LINK.search(link)
    return found is not None and int(found["channel"]) != interaction.channel_id


def is_link(text: str) -> bool:
    """Return whether the text contains a link to a message."""
    return _LINK.search(text) is not None


def links_in(text: str) -> list[Link]:
    """Return the links to messages in a text."""
    return [_link(found) for found in _LINK.finditer(text)]


async def linked_message(session: ReplySession, interaction: discord.Interaction, link: str) -> discord.Message:
    """Return the message that a link points to; acknowledge after the checks that need no request to Discord.

    Raise InvalidRequest for an invalid link, for another server, and for channels that the person or the bot may not
    read.
    """
    target = _parse(link)
    if target.guild != interaction.guild_id or (target.guild is None and target.channel != interaction.channel_id):
        raise InvalidRequest(
            "I follow links to messages of the server, or the direct messages, in which I am asked. "
            "Ask again where that message is."
        )
    return await fetch_message(await readable_channel(session, interaction, target.channel), target.message)


async def readable_channel(
    session: ReplySession, interaction: discord.Interaction, channel_id: int
) -> discord.abc.MessageableChannel:
    """Return a channel or thread of this server, or the direct message channel, if both sides may read its history.

    Acknowledge after the checks that need no request to Discord. Raise InvalidRequest.
    """
    known = interaction.guild.get_channel_or_thread(channel_id) if interaction.guild else interaction.channel
    if isinstance(known, Channel):
        check_readable(interaction, known)
    await session.acknowledge()
    channel = known or await _fetch_channel(interaction, channel_id)
    if isinstance(channel, discord.Thread) and channel.is_private():
        await _check_invited(interaction, channel)
    if not isinstance(channel, discord.abc.Messageable):
        raise InvalidRequest("That channel has no messages of its own. Choose one of its channels, threads or posts.")
    return channel


def check_readable(interaction: discord.Interaction, channel: Channel) -> None:
    """Raise InvalidRequest unless both sides may read the history of a channel of this server."""
    assert interaction.guild is not None
    assert isinstance(interaction.user, discord.Member), "in servers, people are members"
    if not _can_read(channel, interaction.user):
        raise InvalidRequest("You may not read the messages of that channel, so I don't read them for you.")
    if not _can_read(channel, interaction.guild.me):
        raise InvalidRequest(_NOT_READABLE)


def _can_read(channel: Channel, member: discord.Member) -> bool:
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return False  # a thread has the permissions of the channel it belongs to
    permissions = channel.permissions_for(member)
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel) and not permissions.connect:
        return False  # Discord hides the text of such a channel from those who may not join it
    return permissions.view_channel and permissions.read_message_history


async def _fetch_channel(interaction: discord.Interaction, channel_id: int) -> Channel:
    """Fetch and check a channel that is not in the cache, such as an archived thread."""
    assert interaction.guild is not None
    try:
        channel = await interaction.guild.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData) as error:
        raise InvalidRequest(_NOT_READABLE) from error
    check_readable(interaction, channel)
    return channel


async def _check_invited(interaction: discord.Interaction, thread: discord.Thread) -> None:
    """Raise InvalidRequest unless the person was invited to the private thread, or is a moderator."""
    assert isinstance(interaction.user, discord.Member)
    if thread.permissions_for(interaction.user).manage_threads:
        return
    try:
        await thread.fetch_member(interaction.user.id)
    except discord.NotFound as error:
        raise InvalidRequest("You are not in that private thread, so I don't read it for you.") from error


def _parse(link: str) -> Link:
    found = _LINK.search(link)
    if not found:
        raise InvalidRequest(
            "That is no link to a message. Open the message's menu, choose Copy Message Link, and paste it."
        )
    return _link(found)


def _link(found: re.Match[str]) -> Link:
    guild = None if found["guild"] == "@me" else int(found["guild"])
    return Link(guild, int(found["channel"]), int(found["message"]))
