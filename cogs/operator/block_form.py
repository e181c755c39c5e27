"""The form that blocks a person or a server everywhere."""

from __future__ import annotations

import re

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.blocking import block_end, discord_id, duration_field, reason_field
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.operator.actions import actions_of, check_operator
from cogs.operator.panel import blocks_message


class BlockForm(PersistentForm, template=custom_id("operator-block")):
    """A form that is opened by a button of the list of blocks."""

    def __init__(self) -> None:
        super().__init__(tr("Block a person or a server"), custom_id("operator-block"))
        kinds = [
            discord.SelectOption(label=tr("a person"), value="person", default=True),
            discord.SelectOption(label=tr("a server"), value="server"),
        ]
        kind: discord.ui.Select[BlockForm] = discord.ui.Select(custom_id="kind", options=kinds)
        number: discord.ui.TextInput[BlockForm] = discord.ui.TextInput(custom_id="number", min_length=15, max_length=20)
        about = tr("In Discord's developer mode: right-click, Copy ID.")
        self.add_item(discord.ui.Label(text=tr("Who"), component=kind))
        self.add_item(discord.ui.Label(text=tr("Id"), description=about[:100], component=number))
        self.add_item(duration_field())
        self.add_item(reason_field())

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot, person = bot_of(interaction), interaction.user.id
        actions, responder = actions_of(bot), InteractionResponder.of(interaction, private=True)
        async with bot.sessions.open(responder) as session:
            await check_operator(bot, person)
            kind = "server" if typed["kind"][0] == "server" else "person"
            number, until = discord_id(typed["number"].strip()), block_end(typed["days"][0])
            await responder.acknowledge()  # not that of the session: a block is no request to a model
            note = await actions.block(kind, number, (typed["reason"] or "").strip(), until, person, but=session)
            await interaction.edit_original_response(**blocks_message(actions.blocks(), note))
