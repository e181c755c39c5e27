"""/caption and its menus: what is in a picture, and a way to draw that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.examples import examples
from cogs.imagine.words import Words
from cogs.language import later, tr
from cogs.options import models_of
from cogs.reply import InteractionPlace, Job, Page, neutral
from cogs.reply.errors import said
from cogs.reply.sources import check_size, pictures, read
from cogs.reply.text import as_written
from inference import Caption, CaptionRequest, InvalidRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

_LINE = re.compile(r"(\d+)\. \*\*(?:\\.|[^\\*])*\*\*: (.*)")
"""A numbered caption: its picture's number, the file's name, and what is in it."""


class Captions(commands.Cog):
    """Descriptions of pictures."""

    def __init__(self, bot: Inkling) -> None:
        self.jobs = bot.jobs
        bot.add_dynamic_items(ImagineThis)
        says = {"about": later("Says what is in its pictures, with a button to draw that.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Caption image", callback=self.caption_message, extras=says))
        says = {"about": later("Says what is in its pictures, to you alone.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Describe privately", callback=self.describe, extras=says))

    @app_commands.command(
        extras=examples(
            {"image": later("photo.jpg")},
        )
    )
    @app_commands.describe(image="The picture", model="Who looks at it")
    @app_commands.autocomplete(model=models_of("caption"))
    async def caption(self, interaction: discord.Interaction, image: discord.Attachment, model: str = "") -> None:
        """Describe a picture in a sentence."""
        async with self.jobs.open(InteractionPlace(interaction)) as job:
            await tell_captions(job, [image], str(interaction.user.id), model)

    async def caption_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu."""
        async with self.jobs.open(InteractionPlace(interaction, private=message.flags.ephemeral)) as job:
            await tell_captions(job, pictures(message), str(interaction.user.id))

    async def describe(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu for people who can't see the pictures: nobody else is told."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await tell_captions(job, pictures(message), str(interaction.user.id), drawable=False)


async def tell_captions(
    job: Job, files: Sequence[discord.Attachment], owner: str, model: str = "", *, drawable: bool = True
) -> None:
    """One caption for each picture, numbered in their order if there are several.

    `drawable` ones have a button to draw them, which shows them in public.
    """
    if not files:
        raise InvalidRequest("That message has no picture attached. Pictures behind links can't be described.")
    job.check(CaptionRequest(image=b"", model=model))
    for file in files:
        check_size(file, job.engine.config.limits.upload)
    await job.acknowledge()
    if len(files) == 1:
        await job.finish(Page(await _caption(job, files[0], owner, model)), _buttons(job, [0] if drawable else []))
        return
    lines: list[str] = []
    described: list[int] = []
    for number, file in enumerate(files, 1):
        try:
            text = await _caption(job, file, owner, model)
            described.append(number)
        except InvalidRequest as error:  # one bad picture among several does not spoil the others
            text = said(error)
        lines.append(f"{number}. **{neutral(file.filename)}**: {text}")
    await job.finish(Page("\n".join(lines)), _buttons(job, described if drawable else []))


async def _caption(job: Job, file: discord.Attachment, owner: str, model: str) -> str:
    request = CaptionRequest(image=await read(file), model=model, owner=owner)
    caption = await job.run(request, Caption)
    return neutral(" ".join(caption.text.split()))


class ImagineThis(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"caption:imagine:(?P<number>\d+)"
):
    """Opens a form with a caption as the prompt, for anyone and for ever: the caption is in the message itself.

    `number` is that of the caption, 0 where it is the only one.
    """

    def __init__(self, number: int) -> None:
        label = tr("Imagine {number}", number=number) if number else tr("Imagine this")
        super().__init__(discord.ui.Button(label=label, custom_id=f"caption:imagine:{number}"))
        self._number = number

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["number"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        assert interaction.message is not None, "buttons are below messages"
        bot, caption = cast("Inkling", interaction.client), caption_in(interaction.message.content, self._number)
        async with bot.jobs.open(InteractionPlace(interaction)) as job:
            job.check_here()
            await interaction.response.send_modal(Words(bot, tr("Imagine this"), caption))


def caption_in(content: str, number: int) -> str:
    """The caption with that number in the bot's own message; 0 for the only one."""
    if not number:
        return as_written(content)
    lines = (_LINE.fullmatch(line) for line in content.splitlines())
    return next((as_written(line[2]) for line in lines if line and int(line[1]) == number), "")


def _buttons(job: Job, numbers: Sequence[int]) -> discord.ui.View | None:
    """A button for each of these captions, where there is somebody to draw it."""
    if not numbers or not job.engine.models("imagine"):
        return None
    view = discord.ui.View(timeout=None)
    for number in numbers:
        view.add_item(ImagineThis(number))
    view.stop()  # presses are not for this object, which the next restart would end
    return view
