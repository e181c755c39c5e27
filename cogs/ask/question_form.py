"""The form of the menu "Ask about this"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from cogs.ask.service import Question, check_question, has_language_model, show_answer
from cogs.common import InteractionResponder
from cogs.common.error_messages import apologize
from cogs.common.sources import join_sources, sources_of_message
from cogs.i18n import tr

if TYPE_CHECKING:
    from cogs.client import Inkling


class QuestionForm(discord.ui.Modal):
    """One line for the question, and a box for how to answer it."""

    def __init__(self, bot: Inkling, message: discord.Message) -> None:
        super().__init__(title=tr("Ask about this message"))
        self._bot = bot
        self._message = message
        self._question: discord.ui.TextInput[QuestionForm] = discord.ui.TextInput(custom_id="question", max_length=1000)
        self._own_words: discord.ui.Checkbox[QuestionForm] = discord.ui.Checkbox(custom_id="own-words")
        self.add_item(discord.ui.Label(text=tr("Your question"), component=self._question))
        if has_language_model(bot.engine):
            self.add_item(
                discord.ui.Label(
                    text=tr("In the model's own words"),
                    description=tr("Below the answer stands the part of the message that it comes from."),
                    component=self._own_words,
                )
            )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        question = Question(self._question.value, own_words=self._own_words.value)
        async with self._bot.sessions.open(
            InteractionResponder(interaction, private=self._message.flags.ephemeral)
        ) as session:
            check_question(session, question, sourced=True)
            source = join_sources(await sources_of_message(session, self._message))
            await show_answer(session, self._bot.answers, question, source)

    async def on_error(self, interaction: discord.Interaction, error: Exception, /) -> None:
        await apologize(interaction, error)
