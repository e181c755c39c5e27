"""/ask and the menu "Ask about this": an answer out of a text, shown inside its sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Text, models_of
from cogs.reply import InteractionPlace, Job, Jobs, Page, neutral, quoted
from cogs.reply.errors import apologize
from cogs.reply.sources import text_given, text_of_message
from cogs.reply.text import SENTENCE_END
from inference import Answer, AskRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

_AROUND = 300
_BORDER = re.compile(rf"{SENTENCE_END.pattern}|\n")


class Ask(commands.Cog):
    """Questions about a text."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.tree.add_command(app_commands.ContextMenu(name="Ask about this", callback=self.ask_about))

    @app_commands.command()
    @app_commands.describe(
        question="What you want to know", text="The text to look in", file="The text file to look in", model="Who looks"
    )
    @app_commands.autocomplete(model=models_of("ask"))
    async def ask(
        self,
        interaction: discord.Interaction,
        question: Text,
        text: Text | None = None,
        file: discord.Attachment | None = None,
        model: str = "",
    ) -> None:
        """Ask a question about a text or a text file."""
        owner = str(interaction.user.id)
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            job.check(AskRequest(question=question, context="…", model=model))
            context = await text_given(job, text, file)
            await tell_answer(job, AskRequest(question=question, context=context, model=model, owner=owner))

    async def ask_about(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu: the question comes in a form."""
        await interaction.response.send_modal(QuestionForm(self.jobs, message))


class QuestionForm(discord.ui.Modal, title="Ask about this message"):
    """One line for the question."""

    def __init__(self, jobs: Jobs, message: discord.Message) -> None:
        super().__init__()
        self.jobs = jobs
        self._message = message
        self._question: discord.ui.TextInput[QuestionForm] = discord.ui.TextInput(max_length=1000)
        self.add_item(discord.ui.Label(text="Your question", component=self._question))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        question, owner = self._question.value, str(interaction.user.id)
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            job.check(AskRequest(question=question, context="…"))
            context = await text_of_message(job, self._message)
            await tell_answer(job, AskRequest(question=question, context=context, owner=owner), self._message.jump_url)

    async def on_error(self, interaction: discord.Interaction, error: Exception, /) -> None:
        await apologize(interaction, error)


async def tell_answer(job: Job, request: AskRequest, source: str = "") -> None:
    """Look for the answer; `source` tells where."""
    answer = await job.run(request, Answer)
    note = f", from {source}" if source else ""
    await job.finish(Page(f"{quoted(request.question)}\n{_shown(answer, request.context, note)}", plain=answer.text))


def _shown(answer: Answer, context: str, note: str) -> str:
    if not answer.text:
        return "The text does not say."
    if answer.generated:
        return f"{neutral(answer.text)}\n-# In the model's own words, which may be wrong{note}"
    return f"{in_sentence(context, answer.start, answer.end)}\n-# {min(1.0, answer.score):.0%} sure{note}"


def in_sentence(context: str, start: int, end: int) -> str:
    """The sentence around `context[start:end]`, with that span in bold."""
    ends_before = [match.end() for match in _BORDER.finditer(context, 0, start)]
    first = max(ends_before[-1] if ends_before else 0, start - _AROUND)
    after = _BORDER.search(context, end)
    last = min(after.end() if after else len(context), end + _AROUND)
    before, behind = neutral(context[first:start].lstrip()), neutral(context[end:last].rstrip())
    return f"{before}**{neutral(context[start:end])}**{behind}"
