"""The button that posts a channel's summary for everybody, once.

It shares only the content of its own message, so it needs no storage and works after a restart.
"""

from __future__ import annotations

import io

import discord

from cogs.common import ReplySession
from cogs.common.delivery import DELIVERY
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id, persistent_view
from cogs.common.rules import check_here, settings_of
from cogs.common.sources import read
from cogs.i18n import gettext_noop, tr
from inference import InvalidRequest


def share_button(owner: int) -> discord.ui.View:
    """Return a view with a Share button for the person with the id `owner`."""
    return persistent_view(discord.ui.Button(label=tr("Share"), custom_id=custom_id("share", owner)))


class ShareButton(PersistentItem, template=custom_id("share", r"(?P<owner>\d+)")):
    """The Share button below a channel's summary."""

    not_yours = gettext_noop("Only the person who asked for this summary can share it. Get your own with /summarize.")

    @property
    def busy(self) -> str:
        return gettext_noop("This summary is being shared already.")

    def check(self, interaction: discord.Interaction) -> None:
        check_here(interaction)
        super().check(interaction)
        if settings_of(interaction).server(interaction.guild_id).private:
            raise InvalidRequest(
                "On this server only the person who asks sees my answers, so summaries can't be shared."
            )
        permissions = interaction.permissions
        in_thread = isinstance(interaction.channel, discord.Thread)
        if interaction.guild_id and not (
            permissions.send_messages_in_threads if in_thread else permissions.send_messages
        ):
            raise InvalidRequest("You may not write in this channel, so I don't post the summary here for you.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        """Remove the button first, so that nothing is shared twice; add it again if Discord refuses the message."""
        by = tr("Shared by {person}", person=interaction.user.mention)
        files = [await _copy(file) for file in message.attachments]
        await interaction.edit_original_response(view=None)
        try:
            await interaction.followup.send(f"{message.content}\n-# {by}", files=files)
        except DELIVERY:
            await interaction.edit_original_response(view=share_button(interaction.user.id))
            raise


async def _copy(file: discord.Attachment) -> discord.File:
    try:
        return discord.File(io.BytesIO(await read(file)), file.filename)
    except InvalidRequest as error:
        raise InvalidRequest("Discord no longer has the file of this summary. Ask for the summary again.") from error
