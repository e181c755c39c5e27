"""The form that stops a person on one server: for how long, and why."""

from __future__ import annotations

import re

import discord

from cogs.client import bot_of
from cogs.common.access import check_blockable, relative
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.common.responder import ButtonResponder
from cogs.common.target import now
from cogs.i18n import gettext_noop, tr
from cogs.moderation.admin import BUSY, check_admin
from cogs.moderation.report_message import note
from cogs.moderation.server_language import in_language_of
from storage import Block

_DAY = 24 * 3600.0
_FOR_GOOD = "0"
_LONGEST_REASON = 200


class StopForm(PersistentForm, template=custom_id("stop-form", r"(?P<person>\d+)")):
    """A form that is opened by a button under a report."""

    def __init__(self, person: int) -> None:
        super().__init__(tr("Stop this person here"), custom_id("stop-form", person))
        options = [
            discord.SelectOption(label=tr("for 1 day"), value="1", default=True),
            discord.SelectOption(label=tr("for 7 days"), value="7"),
            discord.SelectOption(label=tr("for good"), value=_FOR_GOOD),
        ]
        days: discord.ui.Select[StopForm] = discord.ui.Select(custom_id="days", options=options)
        reason: discord.ui.TextInput[StopForm] = discord.ui.TextInput(
            custom_id="reason", required=False, max_length=_LONGEST_REASON
        )
        about = tr("The person can't use the bot on this server. You can end it in /server-settings.")
        self.add_item(discord.ui.Label(text=tr("For how long"), description=about[:100], component=days))
        about = tr("The person sees it when they try to use the bot.")
        self.add_item(discord.ui.Label(text=tr("Reason"), description=about[:100], component=reason))

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot = bot_of(interaction)
        assert interaction.message is not None, "the form is opened by a button"
        assert interaction.guild_id is not None, "reports are on servers"
        async with bot.sessions.open(ButtonResponder.of(interaction)) as session:
            check_admin(interaction)  # the form may have been open for long
            await interaction.response.defer()
            with bot.sessions.claim(interaction.message.id, BUSY):
                person, days = int(match["person"]), int(typed["days"][0])
                await check_blockable(bot, person, interaction.user.id)
                block = _block(interaction, person, interaction.guild_id, days, (typed["reason"] or "").strip())
                await bot.store.blocks.add(block)
                with in_language_of(interaction.guild):
                    await note(interaction, stopped_line(block), done="stop")
            reason = gettext_noop("Cancelled, since an admin of this server has stopped you here.")
            await bot.sessions.end_of(person, reason, but=session, guild=interaction.guild_id)


def _block(interaction: discord.Interaction, person: int, server: int, days: int, reason: str) -> Block:
    until = now() + days * _DAY if days else None
    return Block("person", person, server, reason, until, interaction.user.id, now())


def stopped_line(block: Block) -> str:
    """Return who was stopped by whom, and until when, in the current language."""
    person, admin = f"<@{block.id}>", f"<@{block.by}>"
    if block.until is None:
        return tr("{admin} stopped {person} here for good.", admin=admin, person=person)
    return tr("{admin} stopped {person} here; it ends {when}.", admin=admin, person=person, when=relative(block.until))
