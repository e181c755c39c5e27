"""The controls of the panel of admins, and the button in /server-settings that opens it."""

from __future__ import annotations

from dataclasses import replace

import discord

from cogs.client import Inkling, bot_of
from cogs.common import ReplySession
from cogs.common.persistent_item import PersistentItem, chosen_values
from cogs.common.persistent_view import custom_id
from cogs.moderation.admin import check_admin
from cogs.moderation.panel import panel_message, writable
from inference import InvalidRequest


class ModerationControl(PersistentItem, template=custom_id("moderation", "(?P<what>open|channel|unblock)")):
    """Opens the panel, sets the channel for reports, or unblocks a person."""

    def check(self, interaction: discord.Interaction) -> None:
        check_admin(interaction)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        assert interaction.guild_id is not None, "the panel is for servers"
        bot, values = bot_of(interaction), chosen_values(interaction)
        match self.match["what"]:
            case "open":
                await interaction.followup.send(**panel_message(interaction), ephemeral=True)
                return
            case "channel":
                await _set_channel(bot, interaction, int(values[0]) if values else None)
            case _:
                await bot.store.blocks.remove("person", int(values[0]), interaction.guild_id)
        await interaction.edit_original_response(**panel_message(interaction))


async def _set_channel(bot: Inkling, interaction: discord.Interaction, number: int | None) -> None:
    guild = interaction.guild
    if number is not None and not (guild and writable(guild.get_channel(number))):
        raise InvalidRequest(
            "I may not write in {channel}. There I need View Channel, Send Messages, Embed Links and Attach Files; "
            "grant them, or choose another channel.",
            channel=f"<#{number}>",
        )
    assert interaction.guild_id is not None, "the panel is for servers"
    await bot.store.settings.servers.change(interaction.guild_id, lambda server: replace(server, audit_channel=number))
