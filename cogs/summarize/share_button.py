"""The button that shows everybody in a channel its summary, once, when the person who asked for it says so.

All that it shares is in the message it belongs to, so it needs no memory and works after a restart.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from cogs.common import InteractionResponder
from cogs.common.error_messages import DELIVERY
from cogs.common.rules import settings_of
from cogs.common.sources import read
from cogs.i18n import tr
from inference import InvalidRequest

if TYPE_CHECKING:
    from cogs.client import Inkling
    from cogs.summarize import Summarize

Button = discord.ui.Button[discord.ui.View]


def share_button(owner: int) -> discord.ui.View:
    """A Share button for the person with the id `owner`."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=tr("Share"), custom_id=f"inkling:share:{owner}"))
    view.stop()  # presses are not for this object, which the next restart would end
    return view


class ShareButton(discord.ui.DynamicItem[Button], template=r"inkling:share:(?P<owner>\d+)"):
    """The button below any summary of a channel."""

    def __init__(self, button: Button, owner: int) -> None:
        super().__init__(button)
        self._owner = owner

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Button, item), int(match["owner"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        claims = cast("Summarize", bot.get_cog("Summarize")).claims
        assert interaction.message is not None, "buttons are below messages"
        async with bot.sessions.open(InteractionResponder(interaction)) as session:
            session.check_rules()
            _check(interaction, self._owner)
            with claims.claim(str(interaction.message.id)):
                await interaction.response.defer()
                await self._share(interaction, interaction.message)

    async def _share(self, interaction: discord.Interaction, summary: discord.Message) -> None:
        """The button goes first, so that nothing is shared twice; it comes back where Discord takes no message."""
        by = tr("Shared by {person}", person=interaction.user.mention)
        files = [await _copied(file) for file in summary.attachments]
        await interaction.edit_original_response(view=None)
        try:
            await interaction.followup.send(f"{summary.content}\n-# {by}", files=files)
        except DELIVERY:
            await interaction.edit_original_response(view=share_button(self._owner))
            raise


def _check(interaction: discord.Interaction, owner: int) -> None:
    if interaction.user.id != owner:
        raise InvalidRequest("Only the person who asked for this summary can share it. Get your own with /summarize.")
    if settings_of(interaction).server(interaction.guild_id).private:
        raise InvalidRequest("On this server only the person who asks sees my answers, so summaries can't be shared.")
    allowed = interaction.permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    if interaction.guild_id and not (allowed.send_messages_in_threads if in_thread else allowed.send_messages):
        raise InvalidRequest("You may not write in this channel, so I don't post the summary here for you.")


async def _copied(file: discord.Attachment) -> discord.File:
    try:
        return discord.File(io.BytesIO(await read(file)), file.filename)
    except InvalidRequest as error:
        raise InvalidRequest("Discord no longer has the file of this summary. Ask for the summary again.") from error
