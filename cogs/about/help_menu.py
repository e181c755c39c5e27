"""The menu below a page of /help, which leads to the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from cogs.about.help_pages import OVERVIEW, page_of, topics
from cogs.common import InteractionResponder
from cogs.i18n import tr

if TYPE_CHECKING:
    from cogs.client import Inkling

Select = discord.ui.Select[discord.ui.View]

_CUSTOM_ID = "help:topic"


class HelpMenu(discord.ui.DynamicItem[Select], template=_CUSTOM_ID):
    """A choice needs nothing but its own words, so it works after a restart."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Select, item))

    async def callback(self, interaction: discord.Interaction) -> None:
        """A private page gives way to the next; below a public one, whoever chooses gets a page of their own."""
        bot, message = cast("Inkling", interaction.client), interaction.message
        assert message is not None, "menus are below messages"
        async with bot.sessions.open(InteractionResponder(interaction)):
            name, may = self.item.values[0], interaction.permissions
            text, view = (await page_of(bot, name, may)).text, help_menu(bot, name, may)
            if message.flags.ephemeral:
                await interaction.response.edit_message(content=text, view=view)
            else:
                await interaction.response.send_message(text, view=view, ephemeral=True)


def help_menu(bot: Inkling, current: str, may: discord.Permissions) -> discord.ui.View:
    """All pages for somebody who `may` do that, with the `current` one chosen."""
    options = [
        discord.SelectOption(
            label=topic.label[:100],
            value=topic.name,
            description=topic.about[:100],
            default=topic.name == (current or OVERVIEW),
        )
        for topic in topics(bot, may)
    ]
    view = discord.ui.View(timeout=None)
    placeholder = tr("More about…")
    view.add_item(discord.ui.Select(custom_id=_CUSTOM_ID, placeholder=placeholder, options=options[:25]))
    view.stop()  # choices are not for this object, which the next restart would end
    return view
