"""The buttons below an answer. Their ids hold the id of the stored answer."""

from __future__ import annotations

import discord

from cogs.ask.rendering import below
from cogs.ask.service import OwnWordsJob
from cogs.client import bot_of
from cogs.common import FollowupResponder, ReplySession, Responder
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.common.target import now
from cogs.i18n import gettext_noop
from inference import InvalidRequest


class AnswerButton(PersistentItem, template=custom_id("ask", "(?P<action>context|words)", r"(?P<answer>[\w-]+)")):
    """A button below an answer, for the person who asked; the reply to a press is a new message."""

    not_yours = gettext_noop("Only the person who asked can use these buttons. Ask your own question with /ask.")

    @property
    def begins_request(self) -> bool:
        return self.match["action"] == "words"

    @property
    def busy(self) -> str:
        text = gettext_noop("The model is answering this already. Wait until it is done.")
        return text if self.begins_request else ""

    def responder(self, interaction: discord.Interaction) -> Responder:
        assert interaction.message is not None, "buttons are below messages"
        private = self.match["action"] == "context" or interaction.message.flags.ephemeral
        return FollowupResponder.of(interaction, private=private)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        stored = await bot_of(interaction).store.answers.get(self.match["answer"], now())
        if stored is None:
            raise InvalidRequest(
                "I no longer have the text of this answer: I keep it for an hour. Follow the link, if there is one, or "
                "ask again."
            )
        self.check_owner(interaction, stored.owner)
        if self.match["action"] == "words":
            await session.perform(OwnWordsJob(stored))
        else:
            await session.acknowledge()
            await session.finish(below(stored.question, stored.around))
