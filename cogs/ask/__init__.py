"""/ask and the menu "Ask about this": answers with evidence, and labelled answers in a model's own words.

Questions about pictures go to models that can see.
"""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.ask.answer_button import AnswerButton
from cogs.ask.inputs import AskInputs, gather_by_reply, gather_inputs
from cogs.ask.personal_data import PersonalAnswers
from cogs.ask.question_form import QuestionForm
from cogs.ask.service import Question, check_picture_question, check_question, show_about_pictures, show_answer
from cogs.client import Inkling
from cogs.common import InteractionResponder
from cogs.common.help_texts import TEXTS, examples, visibility
from cogs.common.options import Text, models_of
from cogs.common.sources import leads_elsewhere
from cogs.i18n import gettext_noop

__all__ = ["Ask", "Question", "check_question", "gather_by_reply", "show_answer"]


class Ask(commands.Cog):
    """The commands that answer questions about texts, or with a language model."""

    help_group = TEXTS

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        bot.personal_data.append(PersonalAnswers(bot.store.answers))
        about = {"about": gettext_noop("Asks for a question, and looks for the answer in the message or its pictures.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Ask about this", callback=self.ask_about, extras=about))
        bot.add_dynamic_items(AnswerButton)
        bot.forms.append(QuestionForm)

    @app_commands.command(
        extras=visibility(
            gettext_noop(
                "Everybody here sees the answer, unless /settings or /server-settings say otherwise; only you do where "
                "`link` leads to another channel."
            )
        )
        | examples(
            {"question": gettext_noop("What is the capital of France?")},
            {
                "question": gettext_noop("Who paid?"),
                "text": gettext_noop("Ann brought the bread, and Ben paid for it."),
            },
            {"question": gettext_noop("What is due in May?"), "file": gettext_noop("minutes.pdf")},
            {"question": gettext_noop("When does it start?"), "messages": 100},
            {"question": gettext_noop("What colour is the car?"), "image": gettext_noop("photo.jpg")},
        )
    )
    @app_commands.describe(
        question="What you want to know",
        text="A text to look in",
        image="A picture to ask about",
        file="A file to look in: text, PDF, Office, book, mail or web page",
        file2="Another file",
        file3="Another file",
        file4="Another file",
        file5="Another file",
        link="A link to a message to look in",
        messages="How many of the last messages here to look in",
        own_words="Let a language model answer in its own words, with the evidence below",
        model="Which model",
    )
    @app_commands.rename(own_words="own-words")
    @app_commands.autocomplete(model=models_of("ask", pictures=True))
    async def ask(
        self,
        interaction: discord.Interaction,
        question: Text,
        text: Text | None = None,
        image: discord.Attachment | None = None,
        file: discord.Attachment | None = None,
        file2: discord.Attachment | None = None,
        file3: discord.Attachment | None = None,
        file4: discord.Attachment | None = None,
        file5: discord.Attachment | None = None,
        link: str = "",
        messages: app_commands.Range[int, 1] = 0,
        own_words: bool = False,
        model: str = "",
    ) -> None:
        """Ask about a text, a picture, files or messages; without any of them, ask a language model."""
        files = tuple(each for each in (file, file2, file3, file4, file5) if each)
        inputs, asked = AskInputs(text or "", files, link, messages), Question(question, model, own_words)
        async with self.bot.sessions.open(
            InteractionResponder.of(interaction, private=leads_elsewhere(interaction, link))
        ) as session:
            if image:
                check_picture_question(session, asked, [image])
            else:
                check_question(session, asked, sourced=bool(inputs))
            source = await gather_inputs(session, interaction, inputs) if inputs else None
            if image:
                await show_about_pictures(session, asked, [image], source)
            else:
                await show_answer(session, asked, source)

    async def ask_about(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open a form for the question; this is the menu "Ask about this"."""
        await QuestionForm.open(interaction, message)
