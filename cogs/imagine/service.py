"""A drawing from request to message: run, kept, and shown with its buttons."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from cogs.common import AttachedFile, MessageContent, ProgressRenderer, ReplySession, neutral, quoted
from cogs.common.error_messages import DELIVERY, in_current_language
from cogs.i18n import ntr, tr
from cogs.imagine.alt_text import alt_text, captions
from cogs.imagine.buttons import buttons
from cogs.imagine.region_names import region_name
from inference import CheckedRequest, GeneratedImage, ImageResult, ImagineRequest, image_grid, infotext
from storage import ImageTable, Lineage, StorageError

log = logging.getLogger(__name__)


async def generate_images(
    session: ReplySession,
    drawings: ImageTable,
    checked: CheckedRequest[ImagineRequest],
    origin: Lineage | None = None,
    made_from: str = "",
) -> None:
    """Draw what the request asks for, and show it; raise what `Engine.stream` raises.

    `origin` is what it was made from, and `made_from` says so below it.
    """
    request = checked.request
    drawing = await session.run(checked, ImageResult, ProgressRenderer(quoted(request.prompt)))
    await show_images(session, drawings, request, drawing, origin, made_from)
    await session.notify_if_late(ntr("Your picture is ready.", "Your pictures are ready.", request.count))


async def show_images(
    session: ReplySession,
    drawings: ImageTable,
    request: ImagineRequest,
    drawing: ImageResult,
    origin: Lineage | None,
    made_from: str,
) -> None:
    """Show `drawing`, several pictures as one sheet; it is kept first, since its buttons need that."""
    content = MessageContent(
        _text(request, drawing, _lineage(made_from, session.asker)), await _files(session, request, drawing)
    )
    try:
        kept = await drawings.keep(session.owner, *session.where, request, drawing, origin, private=session.private)
    except StorageError as error:
        log.error("a drawing is shown without buttons: %s", error, exc_info=error)
        note = tr("The bot could not note how this was drawn, so there are no buttons.")
        await session.finish(replace(content, note=note))
        return
    try:
        await session.finish(content, buttons(kept.id, drawing))
    except DELIVERY:
        await drawings.forget(kept.id)
        raise


async def _files(session: ReplySession, request: ImagineRequest, drawing: ImageResult) -> tuple[AttachedFile, ...]:
    """One file, none where every picture was held back."""
    pictures = drawing.pictures
    shown = [picture for picture in pictures if picture.png]
    if not shown:
        return ()
    png = shown[0].png if len(pictures) == 1 else await asyncio.to_thread(_sheet, request, drawing)
    seen = dict(zip(shown, await session.wait(captions(session.engine, shown)), strict=True))
    alt = alt_text(request.prompt, [seen.get(picture, "") for picture in pictures])
    return (AttachedFile(f"inkling-{shown[0].seed}.png", png, alt, spoiler=any(picture.flagged for picture in shown)),)


def _sheet(request: ImagineRequest, drawing: ImageResult) -> bytes:
    """All pictures as one, with the parameters that repeat them all."""
    repeating = replace(infotext.request_for_image(request, drawing, 0), count=request.count)
    return image_grid([picture.png for picture in drawing.pictures], infotext.to_text(repeating))


def _lineage(made_from: str, asker: str) -> str:
    """`GeneratedImage 2 of … · for @maya`, as far as there is something to say; the mention pings nobody."""
    return " · ".join(filter(None, (made_from, asker and tr("for {person}", person=asker))))


def _text(request: ImagineRequest, drawing: ImageResult, lineage: str) -> str:
    lines = [
        quoted(request.prompt),
        f"-# {tr('without: {words}', words=quoted(request.negative_prompt)[2:])}" if request.negative_prompt else "",
        _safety(drawing.pictures),
        neutral(in_current_language(drawing.note)),
        "-# " + " · ".join(_settings(request, drawing)),
        f"-# {lineage}" if lineage else "",
    ]
    return "\n".join(line for line in lines if line)


def _safety(pictures: Sequence[GeneratedImage]) -> str:
    """Why a picture is missing or covered."""
    if held_back := sum(not picture.png for picture in pictures):
        return tr(
            "The safety checker held back {count} of {all}. Try another seed or other words.",
            count=held_back,
            all=len(pictures),
        )
    if flagged := sum(picture.flagged for picture in pictures):
        return tr("The safety checker objects to {count} of {all}, hence the cover.", count=flagged, all=len(pictures))
    return ""


def _settings(request: ImagineRequest, drawing: ImageResult) -> list[str]:
    settings = [
        f"{drawing.width} × {drawing.height}",
        ntr("{count} step", "{count} steps", drawing.steps, count=drawing.steps),
        drawing.sampler,
        tr("guidance {value:g}", value=drawing.guidance_scale),
        tr("strength {value:g}", value=drawing.strength) if drawing.strength is not None else "",
        _region(request),
        neutral(f"LoRA {request.lora}") if request.lora else "",
        _seeds([picture.seed for picture in drawing.pictures]),
        _variations([p.variations[-1].seed for p in drawing.pictures if p.variations]),
    ]
    return [setting for setting in settings if setting]


def _region(request: ImagineRequest) -> str:
    if request.region:
        return tr("region {name}", name=region_name(request.region))
    return tr("with a mask") if request.mask else ""


def _seeds(seeds: Sequence[int]) -> str:
    """They follow one another."""
    first, last = seeds[0], seeds[-1]
    return ntr("seed {first}", "seeds {first} to {last}", len(seeds), first=first, last=last)


def _variations(seeds: Sequence[int]) -> str:
    """Those of the last turn, which follow one another; nothing for none."""
    if not seeds:
        return ""
    first, last = seeds[0], seeds[-1]
    return ntr("variation {first}", "variations {first} to {last}", len(seeds), first=first, last=last)
