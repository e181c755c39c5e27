"""The form of the menu "Ask about this". Of a message with pictures, it asks about them if a model can see."""

from __future__ import annotations

import discord

from cogs.ask.service import (
    Question,
    check_picture_question,
    check_question,
    has_language_model,
    show_about_pictures,
    show_answer,
)
from cogs.common import InteractionResponder, ReplySessions
from cogs.common.sources import join_sources, pictures, sources_of_message, words
from cogs.common.views import Form
from cogs.i18n import tr


class QuestionForm(Form):
    """A form with a field for the question, and a checkbox for an answer in the model's own words.

    Answers about pictures are always in the model's own words.
    """

    def __init__(self, sessions: ReplySessions, message: discord.Message) -> None:
        super().__init__(tr("Ask about this message"))
        self._sessions = sessions
        self._message = message
        self._question: discord.ui.TextInput[QuestionForm] = discord.ui.TextInput(custom_id="question", max_length=1000)
        self._own_words: discord.ui.Checkbox[QuestionForm] = discord.ui.Checkbox(custom_id="own-words")
        self._pictures = pictures(message) if sessions.engine.models_for_pictures() else []
        self.add_item(discord.ui.Label(text=tr("Your question"), component=self._question))
        if has_language_model(sessions.engine) and not self._pictures:
            self.add_item(
                discord.ui.Label(
                    text=tr("In the model's own words"),
                    description=tr("Below the answer stands the part of the message that it comes from."),
                    component=self._own_words,
                )
            )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        question = Question(self._question.value, own_words=self._own_words.value)
        async with self._sessions.open(
            InteractionResponder.of(interaction, private=self._message.flags.ephemeral)
        ) as session:
            if files := self._pictures:
                check_picture_question(session, question, files)
                await show_about_pictures(session, question, files, words(self._message))
                return
            check_question(session, question, sourced=True)
            source = join_sources(await sources_of_message(session, self._message))
            await show_answer(session, question, source)
