"""The panel of admins: the channel for reports, and the people who are blocked on this server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import discord

from cogs.client import bot_of
from cogs.common.blocking import end_text
from cogs.common.persistent_view import custom_id, persistent_view
from cogs.common.target import now
from cogs.i18n import ntr, tr
from cogs.moderation.report_check import AuditChannel
from storage import Block

Select = discord.ui.Select[discord.ui.View]

_MOST = 10
"""The most people that are listed, so that they fit into a message."""

_LONGEST_REASON = 45


def panel_message(interaction: discord.Interaction) -> dict[str, Any]:
    """Return text and controls, for a new message or an edit."""
    bot, guild = bot_of(interaction), interaction.guild
    assert interaction.guild_id is not None, "the panel is for servers"
    number = bot.store.settings.server(interaction.guild_id).audit_channel
    channel = guild.get_channel(number) if guild and number else None
    blocks = bot.store.blocks.on(interaction.guild_id, now())
    controls: list[discord.ui.Item[Any]] = [_channel_select(channel)]
    if blocks:
        controls.append(_unblock_select(bot, blocks))
    lines = [*_about_channel(channel, number), *_blocked_people(blocks)]
    return {"content": "\n".join(lines), "view": persistent_view(*controls)}


def _about_channel(channel: discord.abc.GuildChannel | None, number: int | None) -> Iterator[str]:
    yield tr("**Reports of my messages, and people who are blocked here**")
    if number is None:
        yield tr("**Channel for reports**: none, so nobody can report my messages")
    else:
        yield tr("**Channel for reports**: {channel}", channel=f"<#{number}>")
    if channel and channel.permissions_for(channel.guild.default_role).view_channel:
        yield "-# " + tr("Everybody can see this channel, and so the reports. Better choose one for admins only.")


def _blocked_people(blocks: Sequence[Block]) -> Iterator[str]:
    if not blocks:
        yield tr(
            "**Blocked on this server**: nobody. To block somebody, press “Block this person here” below a report."
        )
        return
    yield tr("**Blocked on this server**")
    yield from (_blocked_person(index, block) for index, block in enumerate(blocks[:_MOST], 1))
    if (more := len(blocks) - _MOST) > 0:
        yield ntr(
            "{count} more is shown when somebody in this list is unblocked.",
            "{count} more are shown when somebody in this list is unblocked.",
            more,
            count=more,
        )


def _blocked_person(index: int, block: Block) -> str:
    admin = tr("by {admin}", admin=f"<@{block.by}>") if block.by else ""
    reason = block.reason and "`" + block.reason[:_LONGEST_REASON].replace("`", "'") + "`"
    return f"{index}. " + " · ".join(filter(None, (f"<@{block.id}>", end_text(block.until), admin, reason)))


def _channel_select(chosen: discord.abc.GuildChannel | None) -> discord.ui.ChannelSelect[discord.ui.View]:
    return discord.ui.ChannelSelect(
        custom_id=custom_id("moderation", "channel"),
        channel_types=[discord.ChannelType.text],
        placeholder=tr("Channel for reports: none")[:150],
        min_values=0,
        default_values=[discord.Object(chosen.id)] if chosen else [],
    )


def _unblock_select(client: discord.Client, blocks: Sequence[Block]) -> Select:
    options = [
        discord.SelectOption(label=f"{index}. {_name(client, block.id)}"[:100], value=str(block.id))
        for index, block in enumerate(blocks[:_MOST], 1)
    ]
    placeholder = tr("Unblock somebody")
    return discord.ui.Select(
        custom_id=custom_id("moderation", "unblock"), options=options, placeholder=placeholder[:150]
    )


def _name(client: discord.Client, person: int) -> str:
    """Return the name of a person, or the id, since the bot does not know everybody."""
    user = client.get_user(person)
    return user.display_name if user else str(person)


def writable(channel: discord.abc.GuildChannel | None) -> bool:
    """Return whether the bot may send reports to the channel."""
    if not isinstance(channel, AuditChannel):
        return False
    mine = channel.permissions_for(channel.guild.me)
    return mine.view_channel and mine.send_messages and mine.embed_links and mine.attach_files
