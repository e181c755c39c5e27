"""What must be true of a report: the message is the bot's, there is a channel for reports, and nobody floods it."""

from __future__ import annotations

import discord

from cogs.client import Inkling, bot_of
from cogs.common.target import now
from inference import InvalidRequest

AuditChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel

MOST_IN_AN_HOUR = 5
"""The most reports of one person."""


async def check_report(interaction: discord.Interaction, message: discord.Message) -> None:
    """Raise InvalidRequest if this person can't report the message, and StorageError."""
    bot, person = bot_of(interaction), interaction.user.id
    if not is_own(bot, message):
        raise InvalidRequest(
            "I pass on reports of my own messages only. To report a message of somebody else, use Report Message in "
            "the same menu, which is Discord's own, or write to a moderator."
        )
    if interaction.guild_id is None:
        raise InvalidRequest(
            "Reports go to the admins of a server, and a direct message is on no server. If something is wrong with "
            "this message, write to the bot's operator."
        )
    audit_channel(interaction)
    if await bot.store.reports.has(person, message.id):
        raise already_reported()
    if await bot.store.reports.count_in_last_hour(person, now()) >= MOST_IN_AN_HOUR:
        raise InvalidRequest(
            "You have reported {most} messages within an hour, which is the most. Try again later, or write to an "
            "admin of this server.",
            most=MOST_IN_AN_HOUR,
        )


def is_own(bot: Inkling, message: discord.Message) -> bool:
    """Return whether the bot has sent the message, also where it is installed to a person only."""
    assert bot.user is not None, "known after login"
    return message.author.id == bot.user.id or message.application_id == bot.application_id


def audit_channel(interaction: discord.Interaction) -> AuditChannel:
    """Return the channel for the reports of this server; raise InvalidRequest if there is none."""
    number = bot_of(interaction).store.settings.server(interaction.guild_id).audit_channel
    if number is None and interaction.permissions.manage_guild:
        raise InvalidRequest(
            "This server has no channel for reports yet. You can set one: /server-settings, “Reports and blocks”."
        )
    if number is None:
        raise InvalidRequest(
            "The admins of this server have not set a channel for reports, so I can't pass this on. Write to an admin, "
            "with a link to the message; they can set a channel with /server-settings."
        )
    channel = interaction.guild.get_channel(number) if interaction.guild else None
    if not isinstance(channel, AuditChannel):
        raise InvalidRequest(
            "The channel for reports is gone, so I can't pass this on. Write to an admin, with a link to the message; "
            "they can set another channel with /server-settings."
        )
    return channel


def already_reported() -> InvalidRequest:
    """Return the error for a second report of a message by the same person."""
    return InvalidRequest("You have reported this message already. The admins of this server have your report.")
