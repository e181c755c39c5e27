"""/fill: the likeliest words for the blanks of a text, with buttons that insert them."""

from __future__ import annotations

from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder, ReplyJob, ReplySession
from cogs.common.help_texts import TEXTS, examples
from cogs.common.options import Text, models_of
from cogs.fill.buttons import FillButton, fill_buttons
from cogs.fill.rendering import filled_content
from cogs.i18n import gettext_noop
from inference import CheckedRequest, FillMaskResult, FillRequest, serializable


class Fill(commands.Cog):
    """The command that guesses missing words."""

    help_group = TEXTS

    def __init__(self, bot: Inkling) -> None:
        self.sessions = bot.sessions
        bot.add_dynamic_items(FillButton)

    @app_commands.command(
        extras=examples(
            {"text": gettext_noop("The capital of France is ___.")},
            {"text": gettext_noop("She put the ___ on the ___.")},
        )
    )
    @app_commands.describe(text="A text with one or more blanks: [MASK] or ___", model="Which model")
    @app_commands.autocomplete(model=models_of("fill"))
    async def fill(self, interaction: discord.Interaction, text: Text, model: str = "") -> None:
        """Guess the missing words of a text."""
        request = FillRequest(text=text, model=model, owner=str(interaction.user.id))
        async with self.sessions.open(InteractionResponder.of(interaction)) as session:
            await session.perform(FillJob(session.check(request)))


@serializable
@dataclass(frozen=True, slots=True)
class FillJob(ReplyJob):
    """The likeliest words for the blanks of a text."""

    checked: CheckedRequest[FillRequest]

    async def answer(self, session: ReplySession) -> None:
        result = await session.run(self.checked, FillMaskResult)
        content = filled_content(self.checked.request.text, result)
        await session.finish(content, fill_buttons(session.owner, result, content))
