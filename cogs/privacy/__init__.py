"""/privacy: the data stored about a person: show it, export it as a file, delete it."""

from __future__ import annotations

import io
from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling, bot_of
from cogs.common import InteractionResponder, ReplySession
from cogs.common.access import FOR_EVERYBODY
from cogs.common.help_texts import PRIVATE
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.personal_data import forget_person
from cogs.common.rules import ANYWHERE
from cogs.i18n import tr
from cogs.privacy.export import archive
from cogs.privacy.open_requests import OpenedForms, OpenRequests
from cogs.privacy.texts import deleted, handed_out, overview, question


class Privacy(commands.Cog):
    """The command about stored data. Its answer is always private, and a server's rules don't apply."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        bot.add_dynamic_items(PrivacyButton)
        bot.personal_data += [OpenedForms(bot.store.opened_forms), OpenRequests(bot.store, bot.engine)]

    @app_commands.command(extras={ANYWHERE: True, FOR_EVERYBODY: True} | PRIVATE)
    async def privacy(self, interaction: discord.Interaction) -> None:
        """See what I keep of you and for how long, get it as a file, or delete it."""
        async with self.bot.sessions.open(InteractionResponder.of(interaction, private=True)):
            await interaction.response.defer(ephemeral=True)
            await _overview(self.bot, interaction)


class PrivacyButton(PersistentItem, template=custom_id("privacy", "(?P<action>export|ask|delete|keep)")):
    """The buttons below the private answer."""

    for_everybody = True

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot = bot_of(interaction)
        if self.match["action"] == "delete":
            await forget_person(bot.personal_data, bot.sessions, session.owner, but=session)
            await bot.store.announce_deletion(session.owner)
        await _ACTIONS[self.match["action"]](bot, interaction)


async def _overview(bot: Inkling, interaction: discord.Interaction) -> None:
    lines = await _descriptions(bot, interaction.user.id)
    view = _buttons((tr("Get it as a file"), "export"), (tr("Delete all of it"), "ask"))
    await interaction.edit_original_response(
        content=overview(lines, _servers(bot), uses_cluster=bool(bot.config.ray)), view=view
    )


def _servers(bot: Inkling) -> list[str]:
    """Return the hosts that run models for this bot."""
    return [*dict.fromkeys(spec.server.host for _, spec in bot.config.listed() if spec.server)]


async def _descriptions(bot: Inkling, person: int) -> list[str]:
    return [line for data in bot.personal_data if (line := await data.describe(person))]


async def _export(bot: Inkling, interaction: discord.Interaction) -> None:
    data, left_out = await archive(bot.personal_data, interaction.user.id, interaction.filesize_limit)
    file = discord.File(io.BytesIO(data), "inkling.zip")
    await interaction.followup.send(handed_out(left_out), file=file, ephemeral=True)


async def _ask(_: Inkling, interaction: discord.Interaction) -> None:
    view = _buttons((tr("Delete for good"), "delete"), (tr("Keep it"), "keep"))
    await interaction.edit_original_response(content=question(), view=view)


async def _show_deleted(bot: Inkling, interaction: discord.Interaction) -> None:
    left = await _descriptions(bot, interaction.user.id)
    await interaction.edit_original_response(content=deleted(left), view=None)


_ACTIONS: dict[str, Callable[[Inkling, discord.Interaction], Coroutine[Any, Any, None]]] = {
    "export": _export,
    "ask": _ask,
    "delete": _show_deleted,
    "keep": _overview,
}


def _buttons(*buttons: tuple[str, str]) -> discord.ui.View:
    """Return a view of buttons from labels and actions; those for deletion are red."""

    def button(label: str, action: str) -> Button:
        style = discord.ButtonStyle.danger if action in ("ask", "delete") else discord.ButtonStyle.secondary
        return Button(label=label, custom_id=custom_id("privacy", action), style=style)

    return persistent_view(*(button(label, action) for label, action in buttons))
