"""The Cancel button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import discord

from cogs.reply.errors import apologize


class CancelView(discord.ui.View):
    """A button for the person who asked, for as long as there is something to cancel."""

    def __init__(self, owner: int, cancel: Callable[[], None]) -> None:
        super().__init__(timeout=None)
        self._owner = owner
        self._cancel = cancel

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        if interaction.user.id == self._owner:
            return True
        await interaction.response.send_message("Only the person who asked can cancel this.", ephemeral=True)
        return False

    async def on_error(self, interaction: discord.Interaction, error: Exception, _: discord.ui.Item[Self], /) -> None:
        await apologize(interaction, error)

    @discord.ui.button(label="Cancel")
    async def cancel(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        await interaction.response.defer()
        self._cancel()
