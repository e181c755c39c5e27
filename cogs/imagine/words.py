"""A form for the words of a drawing, prefilled where something is known; it draws for whoever sends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from cogs.imagine.begin import alternatives, check_unread, with_pictures
from cogs.imagine.drawing import tell_drawing
from cogs.imagine.form import Form
from cogs.imagine.permutations import escaped, several
from cogs.imagine.question import draw_or_ask
from cogs.imagine.rules import for_channel
from cogs.imagine.settings import number
from cogs.language import tr
from cogs.reply import InteractionPlace, Job
from cogs.reply.sources import read
from inference import ImagineRequest, InvalidRequest, Phrase, parameters

if TYPE_CHECKING:
    from cogs.client import Inkling

_PATIENCE = 1.5
"""Seconds to look into a picture for its words: a form has to be there within three."""


class Words(Form):
    """Prompt, what to keep out and, where it starts from `image`, how far to go from that."""

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
        async with self._bot.jobs.open(InteractionPlace(interaction, private=several(self._prompt.value))) as job:
            with self.keeping(self._prompt):
                request = for_channel(self._request(interaction.user.id), interaction.channel, self._bot.config)
                requests = alternatives(interaction, request, job.limits)
                for each in requests:
                    check_unread(job, each, self._image, None)
            await job.acknowledge()
            request = await with_pictures(request, self._image, None)
            requests = [replace(request, prompt=each.prompt) for each in requests]
            await draw_or_ask(job, self._bot.jobs, interaction, requests, self._tell)

    async def _tell(self, job: Job, request: ImagineRequest) -> None:
        await tell_drawing(job, self._bot.store.drawings, request)

    def _request(self, person: int) -> ImagineRequest:
        """What the form says; raises InvalidRequest."""
        strength = self._strength.value.strip() if self._strength else ""
        return ImagineRequest(
            prompt=self._prompt.value,
            negative_prompt=self._negative.value,
            strength=number(Phrase("strength"), strength) if strength else None,
            owner=str(person),
        )


async def remix_form(bot: Inkling, image: discord.Attachment) -> Words:
    """The form to draw from `image`, with the words it was drawn from, if it tells them in time."""
    found = await _words_in(image) if image.size <= bot.config.limits.upload else None
    prompt, negative = (found.prompt, found.negative_prompt) if found else ("", "")
    return Words(bot, tr("Remix image"), prompt, negative, image)


async def _words_in(image: discord.Attachment) -> ImagineRequest | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await asyncio.to_thread(parameters.read, await read(image))
    except (InvalidRequest, TimeoutError):
        return None  # the form is there without them; what is wrong with the file shows when it is sent
