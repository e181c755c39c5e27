"""Enlarging of drawn pictures: what U does with a picture of a grid, and Enlarge with a single one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from cogs.common import ProgressRenderer, ReplyJob, ReplySession, quoted
from cogs.i18n import tr
from cogs.imagine.service import show_images
from inference import (
    CheckedRequest,
    GenerationFailed,
    ImageResult,
    ImagineRequest,
    InferenceError,
    InvalidRequest,
    ModelUnavailable,
    Overloaded,
    Phrase,
    RequestTimeout,
    UpscaledImage,
    UpscaleRequest,
    infotext,
    serializable,
)
from storage import Lineage

_NO_MODEL = Phrase("As large as it was drawn: no model that enlarges is set up here.")


@serializable
@dataclass(frozen=True, slots=True)
class EnlargingJob(ReplyJob):
    """A drawn picture to enlarge. `request` and `result` are those of this picture alone; its pixels are in `checked`.

    With `or_as_drawn`, it is shown as it was drawn if it can't be enlarged.
    """

    checked: CheckedRequest[UpscaleRequest]
    request: ImagineRequest
    result: ImageResult
    origin: Lineage
    made_from: str
    or_as_drawn: bool

    async def answer(self, session: ReplySession) -> None:
        status = ProgressRenderer(quoted(self.request.prompt))
        try:
            enlarged = await session.run(self.checked, UpscaledImage, status)
        except (InvalidRequest, ModelUnavailable, GenerationFailed, Overloaded, RequestTimeout) as error:
            if not self.or_as_drawn:
                raise
            result = _as_drawn(self.result, self.checked.request.image, error)
        else:
            result = replace(
                with_picture(self.result, enlarged.png), enlarged=(enlarged.width, enlarged.height), note=Phrase("")
            )
        await show_images(session, self.request, result, self.origin, self.made_from)
        await session.notify_if_late(tr("Your picture is ready."))


async def show_enlarged(
    session: ReplySession, request: ImagineRequest, result: ImageResult, origin: Lineage, made_from: str
) -> None:
    """Show a single picture enlarged, or else as it was drawn, with a note that says why."""
    [picture] = result.pictures
    if not session.engine.models("upscale"):
        await show_images(session, request, replace(result, note=_NO_MODEL), origin, made_from)
        return
    try:
        job = await _job(session, request, result, picture.png, origin, made_from, or_as_drawn=True)
    except InvalidRequest as error:
        await show_images(session, request, _as_drawn(result, picture.png, error), origin, made_from)
        return
    await session.perform(job)


async def enlarge(
    session: ReplySession, request: ImagineRequest, result: ImageResult, png: bytes, origin: Lineage, made_from: str
) -> None:
    """Show a single picture, whose pixels are `png`, enlarged; raise InvalidRequest if it can't be."""
    await session.perform(await _job(session, request, result, png, origin, made_from, or_as_drawn=False))


def with_picture(result: ImageResult, png: bytes) -> ImageResult:
    """Return the result of a single picture with other pixels."""
    [picture] = result.pictures
    return replace(result, pictures=(replace(picture, png=png),))


async def _job(
    session: ReplySession,
    request: ImagineRequest,
    result: ImageResult,
    png: bytes,
    origin: Lineage,
    made_from: str,
    *,
    or_as_drawn: bool,
) -> EnlargingJob:
    parameters = await asyncio.to_thread(infotext.to_text, request)  # slow if it was drawn from a picture
    checked = session.check(UpscaleRequest(image=png, parameters=parameters, owner=str(session.owner)))
    return EnlargingJob(checked, request, with_picture(result, b""), origin, made_from, or_as_drawn)


def _as_drawn(result: ImageResult, png: bytes, error: InferenceError) -> ImageResult:
    return replace(with_picture(result, png), note=Phrase(error.sentence, **error.values))
