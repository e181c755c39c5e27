"""The message that a button is below: what the press leads to is shown in it."""

from __future__ import annotations

import discord

from cogs.common.responder import InteractionResponder


class ButtonResponder(InteractionResponder):
    """Edits the button's own message. What is refused is told in private, and the message stays."""

    def __init__(self, interaction: discord.Interaction) -> None:
        super().__init__(interaction)
        assert interaction.message is not None, "buttons are below messages"
        self._message_id = interaction.message.id
        self._private = interaction.message.flags.ephemeral

    async def acknowledge(self) -> None:
        await self._interaction.response.defer()

    async def refuse(self, text: str) -> None:
        if self._interaction.response.is_done():
            await self._interaction.followup.send(text, ephemeral=True)
        else:
            await self._interaction.response.send_message(text, ephemeral=True)
