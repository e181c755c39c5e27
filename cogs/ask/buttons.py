"""The buttons below an answer. They carry its key, and what that stands for is in memory (see `recent`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from cogs.ask.rendering import below
from cogs.ask.service import show_in_own_words
from cogs.common import InteractionResponder

if TYPE_CHECKING:
    from cogs.ask import Ask
    from cogs.client import Inkling

Button = discord.ui.Button[discord.ui.View]


class AnswerButton(discord.ui.DynamicItem[Button], template=r"inkling:ask:(?P<action>context|words):(?P<key>[\w-]+)"):
    """Any button below any answer, for the person who asked; each press is a job of its own."""

    def __init__(self, button: Button, action: str, key: str) -> None:
        super().__init__(button)
        self._action = action
        self._key = key

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Button, item), match["action"], match["key"])

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        assert interaction.message is not None, "buttons are below messages"
        private = self._action == "context" or interaction.message.flags.ephemeral
        async with bot.sessions.open(InteractionResponder(interaction, private=private)) as session:
            kept = bot.answers.owned(self._key, interaction.user.id)
            if self._action == "words":
                with cast("Ask", bot.get_cog("Ask")).claims.claim(self._key):
                    await show_in_own_words(session, kept)
            else:
                await session.acknowledge()
                await session.finish(below(kept.question, kept.around))
