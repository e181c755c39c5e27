"""The button that ends a running request. Its id names the person who asked, so it works after a restart too."""

from __future__ import annotations

import discord

from cogs.common.persistent_item import PersistentItem, sessions_of
from cogs.common.persistent_view import custom_id
from cogs.common.reply_session import ReplySession
from cogs.i18n import gettext_noop
from inference import InvalidRequest


class CancelButton(PersistentItem, template=custom_id("cancel", r"(?P<owner>\d+)")):
    """The Cancel or Stop button below a message that shows progress."""

    not_yours = gettext_noop("Only the person who asked can cancel this.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        running = sessions_of(interaction).in_message(message.id, but=session)
        if running is None:
            raise InvalidRequest("This has ended already.")
        running.cancel()
