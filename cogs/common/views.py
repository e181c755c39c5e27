"""Views and forms that exist only in memory, until a restart."""

from __future__ import annotations

from typing import Any

import discord

from cogs.common.error_messages import apologize
from cogs.common.rules import settings_of
from cogs.i18n.locale import use_locale_of

_FORM_SECONDS = 900
"""How long a form waits for somebody who is typing."""


class TemporaryView(discord.ui.View):
    """A view that uses the language of the person who presses, and reports errors that no session has handled."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        use_locale_of(interaction, settings_of(interaction))
        return True

    async def on_error(self, interaction: discord.Interaction, error: Exception, item: discord.ui.Item[Any], /) -> None:
        await apologize(interaction, error)


class Form(discord.ui.Modal):
    """A modal that reports errors which no session has handled."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title[:45], timeout=_FORM_SECONDS)

    async def on_error(self, interaction: discord.Interaction, error: Exception, /) -> None:
        await apologize(interaction, error)
