"""Zoom out, make square and pan: a picture is drawn further beyond its edges, in a new message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import discord

from cogs.client import bot_of
from cogs.common import FollowupResponder, ReplySession, Responder
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.common.sources import attachments, check_size, read
from cogs.i18n import gettext_noop, tr
from cogs.imagine.image_button import ImageButton
from cogs.imagine.preparation import for_channel
from cogs.imagine.service import DrawingJob, stored_image
from inference import (
    EXTENSIONS,
    Extension,
    ImagineRequest,
    InvalidRequest,
    OutpaintingCanvas,
    infotext,
    outpainting_canvas,
)
from storage import Lineage, StoredImage

_MADE_FROM: dict[Extension, str] = {
    "zoom15": gettext_noop("Zoomed out from {link}"),
    "zoom2": gettext_noop("Zoomed out from {link}"),
    "square": gettext_noop("Made square from {link}"),
    "left": gettext_noop("Extended to the left from {link}"),
    "right": gettext_noop("Extended to the right from {link}"),
    "up": gettext_noop("Extended upwards from {link}"),
    "down": gettext_noop("Extended downwards from {link}"),
}


class OutpaintButton(
    PersistentItem,
    template=custom_id("outpaint", f"(?P<extension>{'|'.join(EXTENSIONS)})", r"(?P<image>[\w-]+)"),
):
    """A button that extends a picture, for its owner; the reply is a new message."""

    not_yours = ImageButton.not_yours

    @property
    def begins_request(self) -> bool:
        return True

    def responder(self, interaction: discord.Interaction) -> Responder:
        return FollowupResponder.of(interaction)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot, extension = bot_of(interaction), cast(Extension, self.match["extension"])
        stored = await stored_image(bot.store.images, self.match["image"], pictures=False)
        self.check_owner(interaction, stored.owner)
        request = for_channel(_request(stored), interaction.channel, bot.config)
        if stored.result.pictures[0].flagged and not request.show_flagged:
            raise InvalidRequest("The safety checker objects to this picture, so it is not shown in this channel.")
        checked = session.check(request, pending=("image", "mask"))  # before the file is fetched
        canvas = await _canvas(session, stored, extension, await _file(session, message))
        checked = session.check(
            replace(
                checked.request,
                image=canvas.image,
                mask=canvas.mask,
                width=canvas.width,
                height=canvas.height,
                note=canvas.note,
            )
        )
        sentence = _MADE_FROM[extension]
        made_from = tr(sentence, link=message.jump_url)
        await session.perform(DrawingJob(checked, Lineage(stored.id, "outpainting"), made_from))


def _request(stored: StoredImage) -> ImagineRequest:
    """Return the request for a picture like the stored one, with another seed, and without what it started from."""
    request = infotext.request_for_image(stored.request, stored.result, 0)
    return replace(
        request,
        width=0,
        height=0,
        image=b"",
        mask=b"",
        region="",
        strength=None,
        seed=None,
        variations=(),
    )


async def _file(session: ReplySession, message: discord.Message) -> bytes:
    """Return the file of the message's picture. Raise InvalidRequest if Discord does not hand it over."""
    missing = InvalidRequest(
        "Discord did not hand over the file of this picture, so it can't be extended. Re-roll or Remix draws anew."
    )
    file = next(iter(attachments(message)), None)
    if file is None:
        raise missing
    check_size(file, session.engine.config.limits.upload)
    try:
        return await read(file)
    except InvalidRequest as error:
        raise missing from error


async def _canvas(
    session: ReplySession,
    stored: StoredImage,
    extension: Extension,
    data: bytes,
) -> OutpaintingCanvas:
    """Return what to inpaint, within the operator's limits and what the model can draw."""
    limits, result = session.engine.config.limits, stored.result
    return await asyncio.to_thread(
        outpainting_canvas,
        data,
        (result.width, result.height),
        extension,
        min(result.outpainting_side, limits.side),
        limits.upload_megapixels,
        result.size_multiple,
    )
