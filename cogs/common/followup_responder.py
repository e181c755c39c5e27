"""One more public message below what an interaction was answered with."""

from __future__ import annotations

import discord

from cogs.common.message_content import MessageContent
from cogs.common.responder import InteractionResponder, fields
from cogs.i18n import tr


class FollowupResponder(InteractionResponder):
    """For interactions that have had their answer, such as a button's message that is edited."""

    async def acknowledge(self) -> None:
        message = await self._interaction.followup.send(tr("Working on it…"), ephemeral=self._private, wait=True)
        self._message_id = message.id

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        assert self._message_id is not None, "acknowledge() comes first"
        if fallback := self._beyond_token():
            await fallback.edit(**fields(content), view=view)
        else:
            await self._interaction.followup.edit_message(self._message_id, **fields(content), view=view)

    async def refuse(self, text: str) -> None:
        if self._beyond_token():
            await self.show(MessageContent(text))
            return
        try:
            await self._interaction.followup.send(text, ephemeral=True)
        except discord.HTTPException:  # perhaps one message too many, as for a bot that is installed to a person alone
            if self._message_id is None:
                raise
            reason = tr(
                "Not done. The reason is for the person who asked, and Discord takes no more private messages from me "
                "here. Ask for this one by itself to see it."
            )
            await self.show(MessageContent(reason))
        else:
            if self._message_id is not None:
                await self._interaction.followup.delete_message(self._message_id)
