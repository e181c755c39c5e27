"""The buttons below an answer. Their ids hold the answer's key in the `AnswerCache`."""

from __future__ import annotations

import discord

from cogs.ask.answer_cache import AnswerCache
from cogs.ask.rendering import below
from cogs.ask.service import OwnWordsJob
from cogs.client import bot_of
from cogs.common import FollowupResponder, ReplySession, Responder
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.i18n import gettext_noop


class AnswerButton(PersistentItem, template=custom_id("ask", "(?P<action>context|words)", r"(?P<key>[\w-]+)")):
    """A button below an answer, for the person who asked; the reply to a press is a new message."""

    not_yours = gettext_noop("Only the person who asked can use these buttons. Ask your own question with /ask.")

    @property
    def busy(self) -> str:
        in_own_words = self.match["action"] == "words"
        return gettext_noop("The model is answering this already. Wait until it is done.") if in_own_words else ""

    def responder(self, interaction: discord.Interaction) -> Responder:
        assert interaction.message is not None, "buttons are below messages"
        private = self.match["action"] == "context" or interaction.message.flags.ephemeral
        return FollowupResponder.of(interaction, private=private)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        cached = bot_of(interaction).provided(AnswerCache).get(self.match["key"])
        self.check_owner(interaction, cached.owner)
        if self.match["action"] == "words":
            await session.perform(OwnWordsJob(cached))
        else:
            await session.acknowledge()
            await session.finish(below(cached.question, cached.around))
