"""/complete: continues a text and shows it while it grows; buttons and replies continue it further."""

from __future__ import annotations

import re

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder
from cogs.common.help_texts import TEXTS, examples
from cogs.common.options import Seed, Text, models_of
from cogs.complete.completion_button import CompletionButton
from cogs.complete.personal_data import PersonalTexts
from cogs.complete.reply_chain import continue_by_reply
from cogs.complete.service import USUAL_LENGTH, show_completion
from cogs.i18n import gettext_noop
from inference import CompleteRequest

__all__ = ["USUAL_LENGTH", "Complete", "continue_by_reply", "show_completion"]


class Complete(commands.Cog):
    """The command that continues texts."""

    help_group = TEXTS

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        bot.add_dynamic_items(CompletionButton)
        bot.personal_data.append(PersonalTexts(bot.store.completions))
        bot.fallbacks.append(lambda context: continue_by_reply(bot, context.message))

    @app_commands.command(
        extras=examples(
            {"prompt": gettext_noop("The best thing about a library is"), "length": 100},
            {"prompt": gettext_noop("Three reasons to get up early:"), "alternatives": 3},
        )
    )
    @app_commands.describe(
        prompt="The beginning of a text, or what to say to a chat model",
        model="Which model",
        length="How many tokens to add, about ¾ of a word each; without it, some whole sentences",
        temperature="0 always takes the likeliest word; higher is bolder",
        top_p="Draw from the likeliest words that make up this share",
        repetition_penalty="From 1 to 2: higher repeats less, 1 changes nothing",
        stop=r"End before any of these, with | in between; \n is the end of a line",
        alternatives="How many texts to choose from",
        seed="0 to 4294967295; the same seed repeats an answer",
    )
    @app_commands.rename(top_p="top-p", repetition_penalty="repetition-penalty")
    @app_commands.autocomplete(model=models_of("complete"))
    async def complete(
        self,
        interaction: discord.Interaction,
        prompt: Text,
        model: str = "",
        length: app_commands.Range[int, 1, 4096] | None = None,
        temperature: app_commands.Range[float, 0.0, 5.0] | None = None,
        top_p: app_commands.Range[float, 0.01, 1.0] = 0.95,
        repetition_penalty: app_commands.Range[float, 1.0, 2.0] = 1.0,
        stop: app_commands.Range[str, 1, 300] = "",
        alternatives: app_commands.Range[int, 1, 8] = 1,
        seed: Seed | None = None,
    ) -> None:
        """Continue a text, or talk to a chat model."""
        request = CompleteRequest(
            prompt=prompt,
            model=model,
            max_new_tokens=length or USUAL_LENGTH,
            whole_sentences=length is None,
            temperature=temperature,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            stop=_stop_strings(stop),
            n=alternatives,
            seed=seed,
            owner=str(interaction.user.id),
        )
        async with self.bot.sessions.open(InteractionResponder.of(interaction)) as session:
            await show_completion(session, request)


def _stop_strings(text: str) -> tuple[str, ...]:
    r"""Split stop strings at bars or line ends, without outer spaces: `END|\n\n` → `("END", "\n\n")`."""
    parts = (part.strip().replace(r"\n", "\n") for part in re.split(r"[|\n]", text))
    return tuple(dict.fromkeys(part for part in parts if part))
