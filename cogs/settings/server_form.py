"""What the forms of /server-settings share: who may submit them, and that the panel shows what was stored."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.settings.panel import panel_message
from cogs.settings.texts import limit_name
from inference import InvalidRequest
from storage import ServerSettings

Change = Callable[[ServerSettings], ServerSettings]
Input = discord.ui.TextInput[discord.ui.Modal]


class ServerForm(PersistentForm):
    """A form for some settings of a server."""

    def add_line(self, name: str, value: str | None, description: str, max_length: int) -> None:
        """Add the line of a setting. It is empty if the server has no value of its own."""
        field: Input = discord.ui.TextInput(custom_id=name, default=value, required=False, max_length=max_length)
        self.add_item(discord.ui.Label(text=limit_name(name)[:45], description=description[:100], component=field))

    @classmethod
    @abstractmethod
    def change(cls, interaction: discord.Interaction, typed: Typed) -> Change:
        """Return the change that was typed. Raise InvalidRequest, at once or in the change, if it is not allowed."""

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot = bot_of(interaction)
        assert interaction.guild_id is not None, "the panel is for servers"
        settings = bot.store.settings
        async with bot.sessions.open(InteractionResponder.of(interaction, private=True)):
            if not interaction.permissions.manage_guild:  # the form may have been open for long
                raise InvalidRequest("You may not change the settings of this server any more.")
            change = cls.change(interaction, typed)
            change(settings.server(interaction.guild_id))  # a refusal must be the first response, or replaces the panel
            await interaction.response.defer()
            await settings.servers.change(interaction.guild_id, change)
            await interaction.edit_original_response(**panel_message(interaction, "server"))
