"""/complete: continues a text, showing it as it grows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Seed, Text, models_of
from cogs.reply import InteractionPlace, Job, Page, Status, neutral
from inference import CompleteRequest, Completion

if TYPE_CHECKING:
    from cogs.client import Inkling

_PROMPT_SHOWN = 400


class Complete(commands.Cog):
    """Continuing texts."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs

    @app_commands.command()
    @app_commands.describe(
        prompt="The beginning of a text",
        model="Who writes",
        length="How many tokens to add, about ¾ of a word each",
        temperature="0 always takes the likeliest word; higher is bolder",
        top_p="Draw from the likeliest words that make up this share",
        seed="0 to 4294967295; the same seed repeats an answer",
    )
    @app_commands.rename(top_p="top-p")
    @app_commands.autocomplete(model=models_of("complete"))
    async def complete(
        self,
        interaction: discord.Interaction,
        prompt: Text,
        model: str = "",
        length: app_commands.Range[int, 1, 4096] = 64,
        temperature: app_commands.Range[float, 0.0, 5.0] = 0.8,
        top_p: app_commands.Range[float, 0.01, 1.0] = 0.95,
        seed: Seed | None = None,
    ) -> None:
        """Continue a text."""
        request = CompleteRequest(
            prompt=prompt,
            model=model,
            max_new_tokens=length,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            owner=str(interaction.user.id),
        )
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            await tell_completion(job, request)


async def tell_completion(job: Job, request: CompleteRequest) -> None:
    """Stream the continuation into the message."""

    def shown(text: str) -> Page:
        return Page(_beginning(request.prompt) + neutral(text), plain=request.prompt + text)

    completion = await job.run(request, Completion, Status(draft=shown))
    silence = Page(f"{_beginning(request.prompt)}\nThe model added nothing.")
    page = shown(completion.text) if completion.text.strip() else silence
    await job.finish(replace(page, note=f"seed {completion.seed}"))


def _beginning(prompt: str) -> str:
    """The person's words in bold, or their end when there are many."""
    start = "…" if len(prompt) > _PROMPT_SHOWN else ""
    return f"**{start}{neutral(prompt[-_PROMPT_SHOWN:])}**"
