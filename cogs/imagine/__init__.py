"""/imagine: pictures from words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.imagine.drawing import tell_drawing
from cogs.options import Seed, Text, models_of
from cogs.reply import InteractionPlace
from inference import ImagineRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

_SIZES = [
    app_commands.Choice(name=f"{width} × {height}, {shape}", value=f"{width}x{height}")
    for width, height, shape in (
        (512, 512, "square"),
        (512, 768, "portrait"),
        (768, 512, "landscape"),
        (768, 768, "large square"),
        (256, 256, "small square"),
    )
]


class Imagine(commands.Cog):
    """Pictures."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        self.drawings = bot.store.drawings

    @app_commands.command()
    @app_commands.describe(
        prompt="What to draw",
        negative_prompt="What to keep out",
        size="Width and height in pixels",
        steps="More take longer and show more detail",
        guidance="How closely to follow the prompt",
        seed="0 to 4294967295; the same seed repeats a picture",
        count="How many pictures",
        model="Who draws",
    )
    @app_commands.rename(negative_prompt="negative")
    @app_commands.choices(size=_SIZES)
    @app_commands.autocomplete(model=models_of("imagine"))
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: Text,
        negative_prompt: Text = "",
        size: str = "0x0",
        steps: app_commands.Range[int, 1, 500] = 0,
        guidance: app_commands.Range[float, 0.0, 30.0] | None = None,
        seed: Seed | None = None,
        count: app_commands.Range[int, 1, 10] = 1,
        model: str = "",
    ) -> None:
        """Draw pictures from a description."""
        width, _, height = size.partition("x")
        request = ImagineRequest(
            prompt=prompt,
            negative_prompt=negative_prompt,
            width=int(width),
            height=int(height),
            steps=steps,
            guidance=guidance,
            seed=seed,
            count=count,
            model=model,
            owner=str(interaction.user.id),
        )
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            await tell_drawing(job, self.drawings, request)
