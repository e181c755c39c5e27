"""The form that blocks a person on one server: for how long, and why."""

from __future__ import annotations

import re

import discord

from cogs.client import bot_of
from cogs.common.blocking import add_block, block_end, check_blockable, duration_field, reason_field
from cogs.common.markdown import relative
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.common.responder import ButtonResponder
from cogs.common.target import now
from cogs.i18n import tr
from cogs.moderation.admin import BUSY, check_admin
from cogs.moderation.report_message import note
from cogs.moderation.server_language import in_language_of
from storage import Block


class MemberBlockForm(PersistentForm, template=custom_id("member-block", r"(?P<person>\d+)")):
    """A form that is opened by a button under a report."""

    def __init__(self, person: int) -> None:
        super().__init__(tr("Block this person here"), custom_id("member-block", person))
        days = duration_field()
        about = tr("The person can't use the bot on this server. You can unblock them in /server-settings.")
        days.description = about[:100]
        self.add_item(days)
        self.add_item(reason_field())

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot = bot_of(interaction)
        assert interaction.message is not None, "the form is opened by a button"
        assert interaction.guild_id is not None, "reports are on servers"
        async with bot.sessions.open(ButtonResponder.of(interaction)) as session:
            check_admin(interaction)  # the form may have been open for long
            await interaction.response.defer()
            with bot.sessions.claim(interaction.message.id, BUSY):
                person, admin = int(match["person"]), interaction.user.id
                await check_blockable(bot.operators, person, admin)
                reason, until = (typed["reason"] or "").strip(), block_end(typed["days"][0])
                block = Block("person", person, interaction.guild_id, reason, until, admin, now())
                await add_block(bot, bot.sessions, block, but=session)
                with in_language_of(interaction.guild):
                    await note(interaction, blocked_line(block), done="block")


def blocked_line(block: Block) -> str:
    """Return who was blocked by whom, and until when, in the current language."""
    person, admin = f"<@{block.id}>", f"<@{block.by}>"
    if block.until is None:
        return tr("{admin} blocked {person} here for good.", admin=admin, person=person)
    return tr("{admin} blocked {person} here; it ends {when}.", admin=admin, person=person, when=relative(block.until))
