"""The form of the menu "Ask about this". Of a message with pictures, it asks about them if a model can see."""

from __future__ import annotations

import re

import discord

from cogs.ask.service import (
    Question,
    check_picture_question,
    check_question,
    has_language_model,
    show_about_pictures,
    show_answer,
)
from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.menu_message import keep_message, kept_message
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.common.sources import Source, join_sources, pictures, sources_of_message, words
from cogs.i18n import tr
from inference import Engine


class QuestionForm(PersistentForm, template=custom_id("ask-about", r"(?P<message>[\w-]+)")):
    """A form with a field for the question, and a checkbox for an answer in the model's own words.

    `kept` is the id of the stored message. Answers about pictures are always in the model's own words.
    """

    def __init__(self, kept: str, *, own_words: bool) -> None:
        super().__init__(tr("Ask about this message"), custom_id("ask-about", kept))
        question: discord.ui.TextInput[QuestionForm] = discord.ui.TextInput(custom_id="question", max_length=1000)
        self.add_item(discord.ui.Label(text=tr("Your question"), component=question))
        if own_words:
            box: discord.ui.Checkbox[QuestionForm] = discord.ui.Checkbox(custom_id="own-words")
            self.add_item(
                discord.ui.Label(
                    text=tr("In the model's own words"),
                    description=tr("Below the answer stands the part of the message that it comes from."),
                    component=box,
                )
            )

    @classmethod
    async def open(cls, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open the form; raise StorageError."""
        engine = bot_of(interaction).engine
        own_words = has_language_model(engine) and not _seen(engine, message)
        await interaction.response.send_modal(cls(await keep_message(interaction, message), own_words=own_words))

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot, question = bot_of(interaction), Question(typed["question"], own_words=typed.get("own-words", False))
        message = await kept_message(interaction, match["message"])
        responder = InteractionResponder.of(interaction, private=message.flags.ephemeral)
        async with bot.sessions.open(responder) as session:
            if files := _seen(bot.engine, message):
                check_picture_question(session, question, files)
                context = Source(words(message), text_source="chosen")
                await show_about_pictures(session, question, files, context)
                return
            check_question(session, question, sourced=True)
            source = join_sources(await sources_of_message(session, message))
            await show_answer(session, question, source)


def _seen(engine: Engine, message: discord.Message) -> list[discord.Attachment]:
    """Return the pictures of the message if a model can see."""
    return pictures(message) if engine.models_for_pictures() else []
