"""/imagine: pictures from texts and from other pictures."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder
from cogs.common.help_texts import PICTURES, examples
from cogs.common.loops import every
from cogs.common.options import Seed, Text, models_of
from cogs.i18n import gettext_noop
from cogs.imagine.image_button import ImageButton
from cogs.imagine.outpainting import OutpaintButton
from cogs.imagine.permutations import several
from cogs.imagine.personal_data import PersonalImages
from cogs.imagine.preparation import (
    alternatives,
    check_before_fetching,
    for_channel,
    input_files,
    repeated,
    with_files,
)
from cogs.imagine.prompt_modal import PromptModal, remix_modal
from cogs.imagine.question import ask_first, close_expired, draw_or_ask
from cogs.imagine.question_button import QuestionButton
from cogs.imagine.question_rendering import PICK
from cogs.imagine.remix_form import RemixForm
from cogs.imagine.service import DrawingJob
from cogs.imagine.settings_line import with_settings
from cogs.imagine.settings_suggestions import suggest_settings
from inference import REGIONS, FastMode, ImagineRequest, InvalidRequest, scaled_down
from storage import StorageError

log = logging.getLogger(__name__)

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
    """The commands that draw pictures."""

    help_group = PICTURES

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        about = {"about": gettext_noop("Draws from its picture and your words.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Remix image", callback=self.remix_image, extras=about))
        bot.add_dynamic_items(ImageButton, OutpaintButton, QuestionButton)
        bot.forms += [RemixForm, PromptModal]
        bot.personal_data.append(PersonalImages(bot.store.images))

    async def cog_load(self) -> None:
        self.close_expired.start()

    async def cog_unload(self) -> None:
        self.close_expired.cancel()

    @every(30)
    async def close_expired(self) -> None:
        """Close the questions that nobody has answered in time."""
        try:
            await close_expired(self.bot, self.bot.store.questions)
        except StorageError as error:
            log.error("expired questions could not be closed; the next try is in half a minute: %s", error)

    @app_commands.command(
        extras=examples(
            {"prompt": gettext_noop("a lighthouse at dusk, oil painting"), "count": 4},
            {
                "prompt": gettext_noop("the same house in {spring,winter}"),
                "image": gettext_noop("house.png"),
                "strength": 0.6,
            },
        )
    )
    @app_commands.describe(
        prompt="What to draw; {red,blue} stands for several pictures",
        count="How many pictures at once",
        image="A picture to start from; one the bot has drawn, without a prompt, is repeated",
        size="Width and height in pixels",
        negative_prompt="What to keep out",
        region="With a picture: the part to draw anew",
        mask="With a picture: what is white, painted or erased in this one is drawn anew",
        strength="With a picture: how far to go from it, from 0.01 to 1",
        seed="0 to 4294967295; the same seed repeats a picture",
        model="Which model",
        fast="Faster, but not quite the same picture: some of the computation is reused",
        advanced="More settings, such as Steps: 40, Sampler: Euler a, CFG scale: 6, Lora: ink",
    )
    @app_commands.rename(negative_prompt="negative")
    @app_commands.choices(
        size=_SIZES,
        region=[app_commands.Choice(name=name, value=name) for name in (PICK, *REGIONS)],
    )
    @app_commands.autocomplete(model=models_of("imagine"), advanced=suggest_settings)
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: Text = "",
        count: app_commands.Range[int, 1, 10] = 1,
        image: discord.Attachment | None = None,
        size: str = "0x0",
        negative_prompt: Text = "",
        region: str = "",
        mask: discord.Attachment | None = None,
        strength: app_commands.Range[float, 0.01, 1.0] | None = None,
        seed: Seed | None = None,
        model: str = "",
        fast: bool = False,
        advanced: str = "",
    ) -> None:
        """Draw pictures from a description, or from a picture."""
        width, _, height = size.partition("x")
        request = ImagineRequest(
            prompt=prompt,
            negative_prompt=negative_prompt,
            width=int(width),
            height=int(height),
            seed=seed,
            count=count,
            region=region,
            strength=strength,
            model=model,
            fast=FastMode() if fast else None,
            owner=str(interaction.user.id),
        )
        draw = self._draw if prompt else self._repeat
        await draw(interaction, with_settings(request, advanced), image, mask)

    async def remix_image(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open a form for the prompt; this is the menu "Remix image"."""
        async with self.bot.sessions.open(InteractionResponder.of(interaction)):
            await interaction.response.send_modal(await remix_modal(interaction, message))

    async def _draw(
        self,
        interaction: discord.Interaction,
        request: ImagineRequest,
        image: discord.Attachment | None,
        mask: discord.Attachment | None,
    ) -> None:
        """Draw at once, or ask first if a region must be chosen or there are several jobs."""
        request = for_channel(request, interaction.channel, self.bot.config)
        private = bool(request.region) or several(request.prompt)
        async with self.bot.sessions.open(InteractionResponder.of(interaction, private=private)) as session:
            region, files = request.region, input_files(image, mask)
            request = replace(request, region="") if region == PICK else request
            requests = alternatives(interaction, request, session.limits)
            checked = check_before_fetching(session, requests, files, *(["region"] if region else []))
            if files:  # otherwise the job is stored first, so that it survives a kill at any moment
                await session.acknowledge()
            checked = await with_files(session, checked, files)
            jobs = [DrawingJob(each) for each in checked]
            if region:
                limit = self.bot.config.limits.upload_megapixels
                picture = await asyncio.to_thread(scaled_down, checked[0].request.image, limit)
                await ask_first(session, jobs, picture, request.region)
            else:
                await draw_or_ask(session, jobs)

    async def _repeat(
        self,
        interaction: discord.Interaction,
        request: ImagineRequest,
        image: discord.Attachment | None,
        mask: discord.Attachment | None,
    ) -> None:
        """Draw again from the parameters in the picture's file, changed by the given options."""
        async with self.bot.sessions.open(InteractionResponder.of(interaction)) as session:
            if image is None:
                raise InvalidRequest(
                    "Say what to draw as `prompt`, or attach a picture that a bot has drawn as `image`."
                )
            if mask or request.region or request.strength is not None:
                raise InvalidRequest("To draw from this picture, say what it should become as `prompt`.")
            request = for_channel(await repeated(session, image, request), interaction.channel, self.bot.config)
            await session.perform(DrawingJob(session.check(request)))
