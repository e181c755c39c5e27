"""The form that blocks a person or a server everywhere."""

from __future__ import annotations

import re

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.operator.actions import actions_of, check_operator
from cogs.operator.panel import blocks_message
from inference import InvalidRequest

_LONGEST_REASON = 200
_FOR_GOOD = "0"


class BlockForm(PersistentForm, template=custom_id("operator-block")):
    """A form that is opened by a button of the list of blocks."""

    def __init__(self) -> None:
        super().__init__(tr("Block a person or a server"), custom_id("operator-block"))
        kinds = [
            discord.SelectOption(label=tr("a person"), value="person", default=True),
            discord.SelectOption(label=tr("a server"), value="server"),
        ]
        days = [
            discord.SelectOption(label=tr("for 1 day"), value="1", default=True),
            discord.SelectOption(label=tr("for 7 days"), value="7"),
            discord.SelectOption(label=tr("for good"), value=_FOR_GOOD),
        ]
        kind: discord.ui.Select[BlockForm] = discord.ui.Select(custom_id="kind", options=kinds)
        number: discord.ui.TextInput[BlockForm] = discord.ui.TextInput(custom_id="number", min_length=15, max_length=20)
        length: discord.ui.Select[BlockForm] = discord.ui.Select(custom_id="days", options=days)
        reason: discord.ui.TextInput[BlockForm] = discord.ui.TextInput(
            custom_id="reason", required=False, max_length=_LONGEST_REASON
        )
        about = tr("In Discord's developer mode: right-click, Copy ID.")
        self.add_item(discord.ui.Label(text=tr("Who"), component=kind))
        self.add_item(discord.ui.Label(text=tr("Id"), description=about[:100], component=number))
        self.add_item(discord.ui.Label(text=tr("For how long"), component=length))
        about = tr("The person sees it when they try to use the bot.")
        self.add_item(discord.ui.Label(text=tr("Reason"), description=about[:100], component=reason))

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot, number = bot_of(interaction), typed["number"].strip()
        actions = actions_of(bot)
        async with bot.sessions.open(InteractionResponder.of(interaction)):
            await check_operator(bot, interaction.user.id)
            if not number.isdecimal():
                raise InvalidRequest("{word!r} is no id of Discord, which is a long number.", word=number)
            days, kind = float(typed["days"][0]), "server" if typed["kind"][0] == "server" else "person"
            note = await actions.block(
                kind, int(number), (typed["reason"] or "").strip(), days or None, interaction.user.id
            )
            await interaction.response.send_message(**blocks_message(actions.blocks(), note), ephemeral=True)
