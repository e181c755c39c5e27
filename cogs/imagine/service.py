"""Generating images, storing them, and showing them with their buttons."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import discord

from cogs.common import ProgressRenderer, ReplyJob, ReplySession, quoted
from cogs.common.delivery import DELIVERY
from cogs.common.error_messages import with_traceback
from cogs.i18n import ntr, tr
from cogs.imagine.alt_text import captions
from cogs.imagine.gallery import PicturesMessage
from cogs.imagine.rendering import image_buttons, image_text
from inference import CheckedRequest, ImageResult, ImagineRequest, InvalidRequest, serializable
from storage import ImageTable, Lineage, StorageError, StoredImage

log = logging.getLogger(__name__)

_REFUSED = (400, 413)
"""The statuses of a message that Discord refuses as it is, or because its files are too large."""


@serializable
@dataclass(frozen=True, slots=True)
class DrawingJob(ReplyJob):
    """An image to draw. `origin` is the image it was made from, and `made_from` says so in the message."""

    checked: CheckedRequest[ImagineRequest]
    origin: Lineage | None = None
    made_from: str = ""

    async def answer(self, session: ReplySession) -> None:
        request = self.checked.request
        result = await session.run(self.checked, ImageResult, ProgressRenderer(quoted(request.prompt)))
        await show_images(session, request, result, self.origin, self.made_from)
        await session.notify_if_late(ntr("Your picture is ready.", "Your pictures are ready.", request.count))


async def show_images(
    session: ReplySession,
    request: ImagineRequest,
    result: ImageResult,
    origin: Lineage | None,
    made_from: str,
) -> None:
    """Store `result`, which its buttons need, and then show it."""
    images = session.services.store.images
    text = image_text(request, result, _lineage(made_from, session.target.asker))
    shown = PicturesMessage(text, request, result, await _captions(session, result))
    try:
        if session.resumed:  # it may have been stored before the restart
            await images.forget_messages([session.where[1]])
        stored = await images.keep(
            session.owner, *session.where, request, result, origin, private=session.target.private
        )
    except StorageError as error:
        log.error("an image is shown without buttons: %s", error, exc_info=with_traceback(error))
        note = tr("The bot could not note how this was drawn, so there are no buttons.")
        await _finish(session, replace(shown, note=note))
        return
    try:
        is_extended = origin is not None and origin.how == "outpainting"  # its source is a canvas
        can_enlarge = bool(session.engine.models("upscale")) and not any(result.enlarged)
        buttons = image_buttons(
            stored.id, result, has_source=bool(request.image) and not is_extended, can_enlarge=can_enlarge
        )
        await _finish(session, shown, buttons)
    except DELIVERY:
        await images.forget(stored.id)
        raise


async def stored_image(images: ImageTable, image_id: str, *, pictures: bool = True) -> StoredImage:
    """Return a stored image, with the `pictures` it started from if wanted; raise InvalidRequest if it is gone."""
    stored = await images.get(image_id, pictures=pictures)
    if stored is None:
        raise InvalidRequest("I no longer know how this was drawn, so its buttons can do nothing. Use /imagine again.")
    return stored


async def _captions(session: ReplySession, result: ImageResult) -> list[str]:
    """Return a caption for each picture; empty for those that were held back, or can't be described now."""
    shown = [picture for picture in result.pictures if picture.png]
    seen = dict(zip(shown, await session.wait(captions(session.engine, shown)), strict=True))
    return [seen.get(picture, "") for picture in result.pictures]


async def _finish(session: ReplySession, shown: PicturesMessage, view: discord.ui.View | None = None) -> None:
    """Show several pictures as a gallery, or as one sheet if a message can't hold them or Discord refuses it."""
    if gallery := await shown.gallery(session.target.upload_limit):
        try:
            await session.finish(gallery, view)
        except discord.HTTPException as error:
            if error.status not in _REFUSED:
                raise
            log.warning("Discord refused a gallery, so the pictures go out as one sheet: %s", error)
        else:
            return
    await session.finish(await shown.sheet(session.engine.sign), view)


def _lineage(made_from: str, asker: str) -> str:
    """Return a line such as `Picture 2 of … · for @maya`, or nothing; the mention pings nobody."""
    return " · ".join(filter(None, (made_from, asker and tr("for {person}", person=asker))))
