"""The menu below a page of /help, which shows the other pages."""

from __future__ import annotations

import discord

from cogs.about.help_pages import OVERVIEW, page_of, topics
from cogs.client import Inkling, bot_of
from cogs.common import ReplySession
from cogs.common.persistent_item import PersistentItem, chosen_values
from cogs.common.persistent_view import custom_id, persistent_view
from cogs.i18n import tr

_CUSTOM_ID = custom_id("help", "topic")


class HelpMenu(PersistentItem, template=_CUSTOM_ID):
    """The menu of help pages. It replaces a private page; below a public one, it sends a private page."""

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot, [name], permissions = bot_of(interaction), chosen_values(interaction), interaction.permissions
        text, view = (await page_of(bot, name, permissions)).text, help_menu(bot, name, permissions)
        if message.flags.ephemeral:
            await interaction.edit_original_response(content=text, view=view)
        else:
            await interaction.followup.send(text, view=view, ephemeral=True)


def help_menu(bot: Inkling, current: str, permissions: discord.Permissions) -> discord.ui.View:
    """Return a menu of all pages for these permissions, with the `current` one chosen."""
    options = [
        discord.SelectOption(
            label=topic.label[:100],
            value=topic.name,
            description=topic.about[:100],
            default=topic.name == (current or OVERVIEW),
        )
        for topic in topics(bot, permissions)
    ]
    placeholder = tr("More about…")
    return persistent_view(discord.ui.Select(custom_id=_CUSTOM_ID, placeholder=placeholder, options=options[:25]))
