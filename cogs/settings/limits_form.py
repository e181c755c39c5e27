"""The form for a server's limits."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.common.rules import SERVER_LIMITS
from cogs.i18n import tr
from cogs.settings.panel import panel_message
from cogs.settings.texts import limit_name
from inference import InvalidRequest, Limits
from storage import ServerSettings

Input = discord.ui.TextInput[discord.ui.Modal]

_ID = custom_id("limits")


class LimitsForm(PersistentForm, template=_ID):
    """A form with a number for each limit; an empty field means the operator's limit."""

    def __init__(self, settings: ServerSettings, limits: Limits) -> None:
        super().__init__(tr("Limits of this server"), _ID)
        for name in SERVER_LIMITS:
            self._add(name, getattr(settings, name), getattr(limits, name))

    def _add(self, name: str, value: int | None, most: int) -> None:
        field: Input = discord.ui.TextInput(
            custom_id=name, default=None if value is None else str(value), required=False, max_length=9
        )
        text, description = limit_name(name), tr("1 to {most}; empty for {most}, as the bot's operator says", most=most)
        self.add_item(discord.ui.Label(text=text[:45], description=description[:100], component=field))

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot = bot_of(interaction)
        assert interaction.guild_id is not None, "the panel is for servers"
        async with bot.sessions.open(InteractionResponder.of(interaction, private=True)):
            if not interaction.permissions.manage_guild:  # the form may have been open for long
                raise InvalidRequest("You may not change the settings of this server any more.")
            limits = bot.config.limits
            lowered: dict[str, Any] = {
                name: _number(name, typed[name].strip(), getattr(limits, name)) for name in SERVER_LIMITS
            }
            await interaction.response.defer()
            await bot.store.settings.servers.change(interaction.guild_id, lambda server: replace(server, **lowered))
            await interaction.edit_original_response(**panel_message(interaction, "server"))


def _number(name: str, typed: str, most: int) -> int | None:
    """Return the typed number, None for an empty field; raise InvalidRequest."""
    if not typed:
        return None
    if not re.fullmatch(r"\d{1,9}", typed, re.ASCII) or not 1 <= int(typed) <= most:
        raise InvalidRequest(
            "{limit}: this must be a whole number from 1 to {most}, or empty. Nothing was changed.",
            limit=limit_name(name),
            most=most,
        )
    return int(typed)
