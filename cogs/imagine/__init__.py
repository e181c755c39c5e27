"""/imagine: pictures from texts and from other pictures."""

from __future__ import annotations

from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder, ReplySession
from cogs.common.help_texts import examples
from cogs.common.options import Seed, Text, loras, models_of
from cogs.common.sources import pictures
from cogs.i18n import gettext_noop
from cogs.imagine.confirm_view import generate_or_confirm
from cogs.imagine.image_button import ImageButton
from cogs.imagine.permutations import several
from cogs.imagine.personal_data import PersonalImages
from cogs.imagine.preparation import (
    Checked,
    alternatives,
    check_before_fetching,
    for_channel,
    input_files,
    repeated,
    with_files,
)
from cogs.imagine.prompt_modal import remix_modal
from cogs.imagine.region_picker import PICK, RegionPicker
from cogs.imagine.service import generate_images
from inference import REGIONS, ImagineRequest, InvalidRequest, Sampler

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

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        about = {"about": gettext_noop("Draws from its picture and your words.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Remix image", callback=self.remix_image, extras=about))
        bot.add_dynamic_items(ImageButton)
        bot.personal_data.append(PersonalImages(bot.store.images))

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
        image="A picture to start from; one the bot has drawn, without a prompt, is repeated",
        mask="With a picture: white is drawn anew, black stays",
        region="With a picture: the part to draw anew",
        strength="With a picture: how far to go from it, from 0.01 to 1",
        negative_prompt="What to keep out",
        size="Width and height in pixels",
        steps="More take longer and show more detail",
        guidance_scale="How closely to follow the prompt",
        sampler="The way from noise to a picture",
        seed="0 to 4294967295; the same seed repeats a picture",
        count="How many pictures",
        model="Who draws",
        lora="A style that the bot's operator has added",
        temperature="For models that draw token by token: 0 to 5, less is tamer",
        top_k="For models that draw token by token: how many tokens to choose from",
    )
    @app_commands.rename(negative_prompt="negative", guidance_scale="guidance")
    @app_commands.choices(
        size=_SIZES,
        region=[app_commands.Choice(name=name, value=name) for name in (PICK, *REGIONS)],
    )
    @app_commands.autocomplete(model=models_of("imagine"), lora=loras)
    async def imagine(
        self,
        interaction: discord.Interaction,
        prompt: Text = "",
        image: discord.Attachment | None = None,
        mask: discord.Attachment | None = None,
        region: str = "",
        strength: app_commands.Range[float, 0.01, 1.0] | None = None,
        negative_prompt: Text = "",
        size: str = "0x0",
        steps: app_commands.Range[int, 1, 500] = 0,
        guidance_scale: app_commands.Range[float, 0.0, 30.0] | None = None,
        sampler: Sampler | None = None,
        seed: Seed | None = None,
        count: app_commands.Range[int, 1, 10] = 1,
        model: str = "",
        lora: str = "",
        temperature: app_commands.Range[float, 0.0, 5.0] = 1.0,
        top_k: app_commands.Range[int, 0, 100_000] = 0,
    ) -> None:
        """Draw pictures from a description, or from a picture."""
        width, _, height = size.partition("x")
        request = ImagineRequest(
            prompt=prompt,
            negative_prompt=negative_prompt,
            width=int(width),
            height=int(height),
            steps=steps,
            guidance_scale=guidance_scale,
            sampler=sampler,
            seed=seed,
            count=count,
            region=region,
            strength=strength,
            model=model,
            lora=lora,
            temperature=temperature,
            top_k=top_k,
            owner=str(interaction.user.id),
        )
        await (self._draw if prompt else self._repeat)(interaction, request, image, mask)

    async def remix_image(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open a form for the prompt; this is the menu "Remix image"."""
        async with self.bot.sessions.open(InteractionResponder.of(interaction)):
            found = pictures(message)
            if not found:
                raise InvalidRequest("That message has no picture attached. Pictures behind links can't be drawn from.")
            await interaction.response.send_modal(await remix_modal(self.bot, found[0]))

    async def _draw(
        self,
        interaction: discord.Interaction,
        request: ImagineRequest,
        image: discord.Attachment | None,
        mask: discord.Attachment | None,
    ) -> None:
        """Draw at once, or ask first if a region must be chosen or there are several jobs."""
        request = for_channel(request, interaction.channel, self.bot.config)
        ask = bool(request.region) or several(request.prompt)
        async with self.bot.sessions.open(InteractionResponder.of(interaction, private=ask)) as session:
            region, files = request.region, input_files(image, mask)
            request = replace(request, region="") if region == PICK else request
            requests = alternatives(interaction, request, session.limits)
            checked = check_before_fetching(session, requests, files, *(["region"] if region else []))
            if files or ask:  # otherwise the job is stored first, so that it survives a kill at any moment
                await session.acknowledge()
            checked = await with_files(session, checked, files)
            if region:
                picker = await RegionPicker.open(self.bot.sessions, interaction, checked, self._show, request.region)
                await session.finish(await picker.shown(), picker)
            else:
                await generate_or_confirm(session, self.bot.sessions, interaction, checked, self._show)

    async def _show(self, session: ReplySession, checked: Checked) -> None:
        await generate_images(session, checked)

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
            await generate_images(session, session.check(request))
