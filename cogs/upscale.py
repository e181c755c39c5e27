"""/upscale: a picture with more pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import AttachedFile, InteractionResponder, MessageContent, ProgressRenderer, ReplyJob, ReplySession
from cogs.common.help_texts import PICTURES, examples
from cogs.common.options import models_of
from cogs.common.sources import NamedFile, check_size, read
from cogs.i18n import gettext_noop, tr
from inference import CheckedRequest, UpscaledImage, UpscaleRequest, serializable


class Upscale(commands.Cog):
    """The command that enlarges pictures."""

    help_group = PICTURES

    def __init__(self, bot: Inkling) -> None:
        self.sessions = bot.sessions

    @app_commands.command(extras=examples({"image": gettext_noop("photo.jpg")}))
    @app_commands.describe(image="The picture", model="Which model")
    @app_commands.autocomplete(model=models_of("upscale"))
    async def upscale(self, interaction: discord.Interaction, image: discord.Attachment, model: str = "") -> None:
        """Enlarge a picture, with sharp edges."""
        async with self.sessions.open(InteractionResponder.of(interaction)) as session:
            request = UpscaleRequest(model=model, owner=str(interaction.user.id))
            checked = session.check(request, pending=["image"])
            check_size(image, session.engine.config.limits.upload)
            await session.acknowledge()
            picture = NamedFile(image.filename, await read(image))
            await session.perform(UpscaleJob(checked, picture, image.description or ""))


@serializable
@dataclass(frozen=True, slots=True)
class UpscaleJob(ReplyJob):
    """A picture to enlarge. `alt` is its alt text, which the result keeps."""

    checked: CheckedRequest[UpscaleRequest]
    picture: NamedFile
    alt: str

    async def answer(self, session: ReplySession) -> None:
        result = await session.run(self.checked, UpscaledImage, ProgressRenderer(), image=self.picture.data)
        name = f"{PurePath(self.picture.name).stem}-{result.width}x{result.height}.png"
        alt = self.alt or tr("An enlarged picture")
        text = f"-# {result.given_width} × {result.given_height} → {result.width} × {result.height}"
        await session.finish(MessageContent(text, (AttachedFile(name, result.png, alt),)))
        await session.notify_if_late(tr("Your picture is ready."))
