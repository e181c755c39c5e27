"""/caption and the menu "Caption image": what is in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.options import models_of
from cogs.reply import InteractionPlace, Job, Page, neutral
from cogs.reply.sources import check_size, pictures, read
from inference import Caption, CaptionRequest, InvalidRequest

if TYPE_CHECKING:
    from cogs.client import Inkling


class Captions(commands.Cog):
    """Descriptions of pictures."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.tree.add_command(app_commands.ContextMenu(name="Caption image", callback=self.caption_message))

    @app_commands.command()
    @app_commands.describe(image="The picture", model="Who looks at it")
    @app_commands.autocomplete(model=models_of("caption"))
    async def caption(self, interaction: discord.Interaction, image: discord.Attachment, model: str = "") -> None:
        """Describe a picture in a sentence."""
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            await tell_captions(job, [image], str(interaction.user.id), model)

    async def caption_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            await tell_captions(job, pictures(message), str(interaction.user.id))


async def tell_captions(job: Job, files: Sequence[discord.Attachment], owner: str, model: str = "") -> None:
    """One caption for each picture, in order."""
    if not files:
        raise InvalidRequest("That message has no picture attached. Pictures behind links can't be described.")
    job.engine.check(CaptionRequest(image=b"", model=model))
    for file in files:
        check_size(file, job.engine.config.limits.upload)
    await job.acknowledge()
    if len(files) == 1:
        await job.finish(Page(await _caption(job, files[0], owner, model)))
    else:
        lines = [await _caption_line(job, file, owner, model) for file in files]
        await job.finish(Page("\n".join(lines)))


async def _caption_line(job: Job, file: discord.Attachment, owner: str, model: str) -> str:
    """One bad picture among several does not spoil the others."""
    try:
        text = await _caption(job, file, owner, model)
    except InvalidRequest as error:
        text = error.user_message
    return f"**{neutral(file.filename)}**: {text}"


async def _caption(job: Job, file: discord.Attachment, owner: str, model: str) -> str:
    request = CaptionRequest(image=await read(file), model=model, owner=owner)
    return neutral((await job.run(request, Caption)).text)
