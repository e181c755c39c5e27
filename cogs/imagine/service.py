"""Generating images, storing them, and showing them with their buttons."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from cogs.common import AttachedFile, MessageContent, ProgressRenderer, ReplyJob, ReplySession, quoted
from cogs.common.delivery import DELIVERY
from cogs.i18n import ntr, tr
from cogs.imagine.alt_text import alt_text, captions
from cogs.imagine.rendering import image_buttons, image_text
from inference import CheckedRequest, ImageResult, ImagineRequest, InvalidRequest, image_grid, infotext, serializable
from storage import ImageTable, Lineage, StorageError, StoredImage

log = logging.getLogger(__name__)


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
    """Store `result`, which its buttons need, and then show it, several pictures as one grid."""
    images = session.services.store.images
    text = image_text(request, result, _lineage(made_from, session.target.asker))
    content = MessageContent(text, await _files(session, request, result))
    try:
        if session.resumed:  # it may have been stored before the restart
            await images.forget_messages([session.where[1]])
        stored = await images.keep(
            session.owner, *session.where, request, result, origin, private=session.target.private
        )
    except StorageError as error:
        log.error("an image is shown without buttons: %s", error, exc_info=error)
        note = tr("The bot could not note how this was drawn, so there are no buttons.")
        await session.finish(replace(content, note=note))
        return
    try:
        can_enlarge = bool(session.engine.models("upscale")) and not any(result.enlarged)
        await session.finish(content, image_buttons(stored.id, result, can_enlarge=can_enlarge))
    except DELIVERY:
        await images.forget(stored.id)
        raise


async def stored_image(images: ImageTable, image_id: str, *, pictures: bool = True) -> StoredImage:
    """Return a stored image, with the `pictures` it started from if wanted; raise InvalidRequest if it is gone."""
    stored = await images.get(image_id, pictures=pictures)
    if stored is None:
        raise InvalidRequest("I no longer know how this was drawn, so its buttons can do nothing. Use /imagine again.")
    return stored


async def _files(session: ReplySession, request: ImagineRequest, result: ImageResult) -> tuple[AttachedFile, ...]:
    """Return one file, or none if every picture was held back."""
    pictures = result.pictures
    shown = [picture for picture in pictures if picture.png]
    if not shown:
        return ()
    png = shown[0].png if len(pictures) == 1 else await asyncio.to_thread(_grid, request, result)
    seen = dict(zip(shown, await session.wait(captions(session.engine, shown)), strict=True))
    alt = alt_text(request.prompt, [seen.get(picture, "") for picture in pictures])
    return (AttachedFile(f"inkling-{shown[0].seed}.png", png, alt, spoiler=any(picture.flagged for picture in shown)),)


def _grid(request: ImagineRequest, result: ImageResult) -> bytes:
    """Return all pictures as one grid, with the parameters that repeat them."""
    repeating = replace(infotext.request_for_image(request, result, 0), count=request.count)
    return image_grid([picture.png for picture in result.pictures], infotext.to_text(repeating))


def _lineage(made_from: str, asker: str) -> str:
    """Return a line such as `Picture 2 of … · for @maya`, or nothing; the mention pings nobody."""
    return " · ".join(filter(None, (made_from, asker and tr("for {person}", person=asker))))
