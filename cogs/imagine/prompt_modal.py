"""A form for the prompt of an image, prefilled if possible; it draws for the person who submits it."""

from __future__ import annotations

import asyncio
import re

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.menu_message import keep_message, kept_message
from cogs.common.persistent_form import Typed
from cogs.common.persistent_view import custom_id
from cogs.common.sources import pictures, read
from cogs.i18n import tr
from cogs.imagine.image_form import ImageForm, keeping
from cogs.imagine.permutations import escaped, several
from cogs.imagine.preparation import alternatives, check_before_fetching, for_channel, input_files, with_files
from cogs.imagine.question import draw_or_ask
from cogs.imagine.service import DrawingJob
from cogs.imagine.settings_line import number
from inference import ImagineRequest, InvalidRequest, Phrase, infotext

_READ_SECONDS = 1.5
"""The time to read the prompt from a file; a form must open within three seconds."""


class PromptModal(ImageForm, template=custom_id("prompt", r"(?P<message>[\w-]*)")):
    """A form with prompt, negative prompt and, to draw from a picture of the stored `message`, strength."""

    def __init__(self, title: str, prompt: str, negative: str = "", message: str = "") -> None:
        super().__init__(title, custom_id("prompt", message))
        self.add_words(tr("Prompt"), "prompt", escaped(prompt), required=True)
        self.add_words(tr("Without"), "negative", negative)
        if message:
            self.add_value(tr("Strength, from 0.01 to 1 (0.75 if empty)"), "strength", "")

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        bot, message = bot_of(interaction), match["message"]
        responder = InteractionResponder.of(interaction, private=several(typed["prompt"]))
        async with bot.sessions.open(responder) as session:
            with keeping(typed["prompt"]):
                image = pictures(await kept_message(interaction, message))[0] if message else None
                files = input_files(image, None)
                request = for_channel(_request(typed, session.owner), interaction.channel, bot.config)
                requests = alternatives(interaction, request, session.limits)
                checked = check_before_fetching(session, requests, files)
            if files:
                await session.acknowledge()
            checked = await with_files(session, checked, files)
            await draw_or_ask(session, [DrawingJob(each) for each in checked])


def _request(typed: Typed, person: int) -> ImagineRequest:
    """Return the request of the form; raise InvalidRequest."""
    strength = typed.get("strength", "").strip()
    return ImagineRequest(
        prompt=typed["prompt"],
        negative_prompt=typed["negative"],
        strength=number(Phrase("strength"), strength) if strength else None,
        owner=str(person),
    )


async def remix_modal(interaction: discord.Interaction, message: discord.Message) -> PromptModal:
    """Return a form to draw from the first picture of `message`, prefilled with the prompt in its file.

    It stays empty if that can't be read in time. Raise InvalidRequest if there is no picture.
    """
    found = pictures(message)
    if not found:
        raise InvalidRequest("That message has no picture attached. Pictures behind links can't be drawn from.")
    fits = found[0].size <= bot_of(interaction).config.limits.upload
    request = (await _request_in(found[0]) if fits else None) or ImagineRequest(prompt="")
    kept = await keep_message(interaction, message)
    return PromptModal(tr("Remix image"), request.prompt, request.negative_prompt, kept)


async def _request_in(image: discord.Attachment) -> ImagineRequest | None:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return await asyncio.to_thread(infotext.read, await read(image))
    except (InvalidRequest, TimeoutError):
        return None  # open the form without a prompt; submitting it reports a bad file
