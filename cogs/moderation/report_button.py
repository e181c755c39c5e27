"""The buttons under a report, for admins. Their ids say what they are about, so they work after a restart."""

from __future__ import annotations

import discord

from cogs.client import bot_of
from cogs.common import ReplySession
from cogs.common.blocking import check_blockable
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.moderation.admin import BUSY, check_admin
from cogs.moderation.member_block_form import MemberBlockForm
from cogs.moderation.report_message import note
from cogs.moderation.server_language import in_language_of
from inference import InvalidRequest

_IDS = r"(?::(?P<first>\d+))?(?::(?P<second>\d+))?"
"""Channel and message for `delete`, the person for `block`."""


class ReportButton(PersistentItem, template=custom_id("report", "(?P<action>delete|block|dismiss)") + _IDS):
    """Deletes the message, blocks the person who asked for it, or dismisses the report."""

    @property
    def opens_form(self) -> bool:
        return self.match["action"] == "block"

    @property
    def busy(self) -> str:
        return BUSY

    def check(self, interaction: discord.Interaction) -> None:
        check_admin(interaction)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        match self.match["action"]:
            case "delete":
                await self._delete(interaction)
            case "block":
                person = int(self.match["first"])
                await check_blockable(bot_of(interaction).operators, person, interaction.user.id)
                await interaction.response.send_modal(MemberBlockForm(person))
            case _:
                with in_language_of(interaction.guild):
                    line = tr("{person} dismissed it.", person=interaction.user.mention)
                    await note(interaction, line, done="dismiss", over=True)

    async def _delete(self, interaction: discord.Interaction) -> None:
        channel = bot_of(interaction).get_partial_messageable(int(self.match["first"]), guild_id=interaction.guild_id)
        admin, was_there = interaction.user.mention, True
        try:
            await channel.get_partial_message(int(self.match["second"])).delete()
        except discord.NotFound:
            was_there = False
        except discord.Forbidden as error:
            raise InvalidRequest(
                "I may not delete this message, since I have no access to its channel any more. A moderator can delete "
                "it there."
            ) from error
        with in_language_of(interaction.guild):
            line = (
                tr("{person} deleted the message.", person=admin)
                if was_there
                else tr("{person} wanted to delete the message, which was gone already.", person=admin)
            )
            await note(interaction, line, done="delete")
