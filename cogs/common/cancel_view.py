"""The Cancel button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import discord

from cogs.common.temporary_view import TemporaryView
from cogs.i18n import tr


class CancelView(TemporaryView):
    """A button for the person who asked, for as long as there is something to cancel."""

    def __init__(self, owner: int, cancel: Callable[[], None]) -> None:
        super().__init__(timeout=None)
        self._owner = owner
        self._cancel = cancel
        self.cancel.label = tr("Cancel")

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        await super().interaction_check(interaction)
        if interaction.user.id == self._owner:
            return True
        await interaction.response.send_message(tr("Only the person who asked can cancel this."), ephemeral=True)
        return False

    @discord.ui.button()
    async def cancel(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        await interaction.response.defer()
        self._cancel()
