"""One more public message below what an interaction was answered with."""

from __future__ import annotations

import discord

from cogs.reply.page import Page
from cogs.reply.place import InteractionPlace, fields


class FollowupPlace(InteractionPlace):
    """For interactions that have had their answer, such as a button's message that is edited."""

    async def acknowledge(self) -> None:
        message = await self._interaction.followup.send("Working on it…", wait=True)
        self._message_id = message.id

    async def show(self, page: Page, view: discord.ui.View | None = None) -> None:
        assert self._message_id is not None, "acknowledge() comes first"
        if fallback := self._beyond_token():
            await fallback.edit(**fields(page), view=view)
        else:
            await self._interaction.followup.edit_message(self._message_id, **fields(page), view=view)

    async def refuse(self, text: str) -> None:
        if self._beyond_token():
            await self.show(Page(text))
            return
        await self._interaction.followup.send(text, ephemeral=True)
        if self._message_id is not None:
            await self._interaction.followup.delete_message(self._message_id)
