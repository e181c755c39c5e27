"""What makes drawings last: buttons that work after a restart too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord.ext import commands

from cogs.common import InteractionResponder
from cogs.imagine.access import owned_image
from cogs.imagine.actions import ACTIONS, WITHOUT_PICTURES, ImagePress
from cogs.imagine.buttons import CUSTOM_ID, Action

if TYPE_CHECKING:
    from cogs.client import Inkling

Button = discord.ui.Button[discord.ui.View]


class ImageButtons(commands.Cog):
    """Hears presses."""

    def __init__(self, bot: Inkling) -> None:
        bot.add_dynamic_items(ImageButton)


class ImageButton(discord.ui.DynamicItem[Button], template=CUSTOM_ID):
    """Any button below any drawing; each press is a job of its own."""

    def __init__(self, button: Button, action: Action, drawing_id: str, index: int) -> None:
        super().__init__(button)
        self._action: Action = action
        self._drawing_id = drawing_id
        self._index = index

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Button, item), cast(Action, match["action"]), match["drawing"], int(match["picture"] or 0))

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        assert interaction.message is not None, "buttons are below messages"
        async with bot.sessions.open(InteractionResponder(interaction)) as session:
            pictures = self._action not in WITHOUT_PICTURES
            kept = await owned_image(bot.store.images, self._drawing_id, interaction.user.id, pictures=pictures)
            pressed = ImagePress(
                interaction, interaction.message, bot.sessions, session, bot.store.images, kept, self._index
            )
            await ACTIONS[self._action](pressed)
