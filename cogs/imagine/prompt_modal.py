"""A form for the prompt of an image, prefilled if possible; it draws for the person who submits it."""

from __future__ import annotations

import asyncio

import discord

from cogs.client import Inkling
from cogs.common import InteractionResponder, ReplySession
from cogs.common.sources import read
from cogs.i18n import tr
from cogs.imagine.confirm_view import generate_or_confirm
from cogs.imagine.image_form import ImageForm
from cogs.imagine.permutations import escaped, several
from cogs.imagine.preparation import (
    Checked,
    alternatives,
    check_before_fetching,
    for_channel,
    input_files,
    with_files,
)
from cogs.imagine.service import generate_images
from cogs.imagine.settings_line import number
from inference import ImagineRequest, InvalidRequest, Phrase, infotext

_READ_SECONDS = 1.5
"""The time to read the prompt from a file; a form must open within three seconds."""


class PromptModal(ImageForm):
    """A form with prompt, negative prompt and, if there is an `image`, strength."""

    def __init__(
        self, bot: Inkling, title: str, prompt: str, negative: str = "", image: discord.Attachment | None = None
    ) -> None:
        super().__init__(title)
        self._bot = bot
        self._image = image
        self._prompt = self.add_words(tr("Prompt"), "prompt", escaped(prompt), required=True)
        self._negative = self.add_words(tr("Without"), "negative", negative)
        strength = tr("Strength, from 0.01 to 1 (0.75 if empty)")
        self._strength = self.add_value(strength, "strength", "") if image else None

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        async with self._bot.sessions.open(
            InteractionResponder.of(interaction, private=several(self._prompt.value))
        ) as session:
            files = input_files(self._image, None)
            with self.keeping(self._prompt):
                request = for_channel(self._request(interaction.user.id), interaction.channel, self._bot.config)
                requests = alternatives(interaction, request, session.limits)
                checked = check_before_fetching(session, requests, files)
            await session.acknowledge()
            checked = await with_files(session, checked, files)
            await generate_or_confirm(session, self._bot.sessions, interaction, checked, self._show)

    async def _show(self, session: ReplySession, checked: Checked) -> None:
        await generate_images(session, checked)

    def _request(self, person: int) -> ImagineRequest:
        """Return the request of the form; raise InvalidRequest."""
        strength = self._strength.value.strip() if self._strength else ""
        return ImagineRequest(
            prompt=self._prompt.value,
            negative_prompt=self._negative.value,
            strength=number(Phrase("strength"), strength) if strength else None,
            owner=str(person),
        )


async def remix_modal(bot: Inkling, image: discord.Attachment) -> PromptModal:
    """Return a form to draw from `image`, prefilled with the prompt in its file if that can be read in time."""
    found = await _request_in(image) if image.size <= bot.config.limits.upload else None
    prompt, negative = (found.prompt, found.negative_prompt) if found else ("", "")
    return PromptModal(bot, tr("Remix image"), prompt, negative, image)


async def _request_in(image: discord.Attachment) -> ImagineRequest | None:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return await asyncio.to_thread(infotext.read, await read(image))
    except (InvalidRequest, TimeoutError):
        return None  # open the form without a prompt; submitting it reports a bad file
