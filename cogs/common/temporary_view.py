"""What views and forms that live in memory share."""

from __future__ import annotations

from typing import Any

import discord

from cogs.common.error_messages import apologize
from cogs.common.rules import settings_of
from cogs.i18n.locale import use_locale_of


class TemporaryView(discord.ui.View):
    """Speaks the language of whoever presses; who asks for what no job has caught is told."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        use_locale_of(interaction, settings_of(interaction))
        return True

    async def on_error(self, interaction: discord.Interaction, error: Exception, item: discord.ui.Item[Any], /) -> None:
        await apologize(interaction, error)
