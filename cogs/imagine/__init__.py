"""/imagine: pictures from words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import Seed, Text, models_of
from cogs.reply import Attached, InteractionPlace, Page, Status, neutral, quoted
from inference import Drawing, ImagineRequest

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
            drawing = await job.run(request, Drawing, Status(quoted(prompt)))
            await job.finish(_page(request, drawing))


def _page(request: ImagineRequest, drawing: Drawing) -> Page:
    pictures = [picture for picture in drawing.pictures if not picture.flagged]
    files = tuple(Attached(f"inkling-{picture.seed}.png", picture.png, request.prompt) for picture in pictures)
    held_back = len(drawing.pictures) - len(pictures)
    lines = [
        quoted(request.prompt),
        f"-# without: {quoted(request.negative_prompt)[2:]}" if request.negative_prompt else "",
        f"The safety checker held back {held_back} of {len(drawing.pictures)}. Try another seed or other words."
        if held_back
        else "",
        neutral(drawing.note),
        f"-# {drawing.width} × {drawing.height} · {drawing.steps} steps · guidance {drawing.guidance:g} · "
        + _seeds(drawing),
    ]
    return Page("\n".join(line for line in lines if line), files)


def _seeds(drawing: Drawing) -> str:
    """`seed 7`, or `seeds 7 to 9`, since they follow one another."""
    first, last = drawing.pictures[0].seed, drawing.pictures[-1].seed
    return f"seed {first}" if first == last else f"seeds {first} to {last}"
