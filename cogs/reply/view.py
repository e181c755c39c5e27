"""What views and forms that live in memory share."""

from __future__ import annotations

from typing import Any

import discord

from cogs.language.listener import speak_to
from cogs.reply.errors import apologize
from cogs.reply.rules import settings_of


class View(discord.ui.View):
    """Speaks the language of whoever presses; who asks for what no job has caught is told."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        speak_to(interaction, settings_of(interaction))
        return True

    async def on_error(self, interaction: discord.Interaction, error: Exception, item: discord.ui.Item[Any], /) -> None:
        await apologize(interaction, error)
