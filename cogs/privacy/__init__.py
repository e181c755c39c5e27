"""/privacy: what is kept of a person, for how long; all of it as a file; and its end."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.common import InteractionResponder
from cogs.common.help_texts import PRIVATE
from cogs.common.rules import ANYWHERE
from cogs.i18n import gettext_noop, tr
from cogs.privacy.export import archive
from cogs.privacy.texts import deleted, handed_out, overview, question

if TYPE_CHECKING:
    from cogs.client import Inkling

Button = discord.ui.Button[discord.ui.View]


class Privacy(commands.Cog):
    """Answers the person who asks alone, whatever a server's rules are."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        bot.add_dynamic_items(PrivacyButton)

    @app_commands.command(extras={ANYWHERE: True} | PRIVATE)
    async def privacy(self, interaction: discord.Interaction) -> None:
        """See what I keep of you and for how long, get it as a file, or delete it."""
        async with self.bot.sessions.open(InteractionResponder(interaction, private=True)):
            await interaction.response.defer(ephemeral=True)
            await _overview(self.bot, interaction)


class PrivacyButton(discord.ui.DynamicItem[Button], template=r"inkling:privacy:(?P<action>export|ask|delete|keep)"):
    """The buttons below the answer, which only that person sees."""

    def __init__(self, button: Button, action: str) -> None:
        super().__init__(button)
        self._action = action

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Button, item), match["action"])

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        async with bot.sessions.open(InteractionResponder(interaction, private=True)) as session:
            await interaction.response.defer()
            if self._action == "delete":  # nothing may be kept after that by what is still at work
                await bot.sessions.end_of(
                    session.owner, gettext_noop("Cancelled, since you had everything deleted."), but=session
                )
            await _ACTIONS[self._action](bot, interaction)


async def _overview(bot: Inkling, interaction: discord.Interaction) -> None:
    person = interaction.user.id
    drawings, texts = await bot.store.images.count_of(person), await bot.store.text_threads.count_of(person)
    view = _buttons((tr("Get it as a file"), "export"), (tr("Delete all of it"), "ask"))
    await interaction.edit_original_response(content=overview(drawings, texts), view=view)


async def _export(bot: Inkling, interaction: discord.Interaction) -> None:
    person = interaction.user.id
    data, left_out = await archive(bot.store, person, bot.answers.export_of(person), interaction.filesize_limit)
    file = discord.File(io.BytesIO(data), "inkling.zip")
    await interaction.followup.send(handed_out(left_out), file=file, ephemeral=True)


async def _ask(_: Inkling, interaction: discord.Interaction) -> None:
    view = _buttons((tr("Delete for good"), "delete"), (tr("Keep it"), "keep"))
    await interaction.edit_original_response(content=question(), view=view)


async def _delete(bot: Inkling, interaction: discord.Interaction) -> None:
    bot.answers.forget(interaction.user.id)
    await bot.store.forget(interaction.user.id)
    await interaction.edit_original_response(content=deleted(), view=None)


_ACTIONS: dict[str, Callable[[Inkling, discord.Interaction], Coroutine[Any, Any, None]]] = {
    "export": _export,
    "ask": _ask,
    "delete": _delete,
    "keep": _overview,
}


def _buttons(*buttons: tuple[str, str]) -> discord.ui.View:
    """Label and action of each; those that lead to a deletion in red."""
    view = discord.ui.View(timeout=None)
    for label, action in buttons:
        style = discord.ButtonStyle.danger if action in ("ask", "delete") else discord.ButtonStyle.secondary
        view.add_item(discord.ui.Button(label=label, custom_id=f"inkling:privacy:{action}", style=style))
    view.stop()  # presses are not for this object, which the next restart would end
    return view
