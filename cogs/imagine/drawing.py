"""A drawing from request to message: run, kept, and shown with its buttons."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from cogs.imagine.alt import alt_text, captions
from cogs.imagine.buttons import buttons
from cogs.imagine.regions import region_name
from cogs.language import ntr, tr
from cogs.reply import Attached, Job, Page, Status, neutral, quoted
from cogs.reply.errors import DELIVERY, said
from inference import Drawing, ImagineRequest, Picture, contact_sheet, parameters
from storage import Drawings, Origin, StorageError

log = logging.getLogger(__name__)


async def tell_drawing(
    job: Job, drawings: Drawings, request: ImagineRequest, origin: Origin | None = None, made_from: str = ""
) -> None:
    """Draw what `request` asks for, and show it; raises what `Engine.stream` raises.

    `origin` is what it was made from, and `made_from` says so below it.
    """
    request = replace(request, model=job.check(request).name)  # the default may be another one some day
    drawing = await job.run(request, Drawing, Status(quoted(request.prompt)))
    await show_drawing(job, drawings, request, drawing, origin, made_from)
    await job.notify_if_late(ntr("Your picture is ready.", "Your pictures are ready.", request.count))


async def show_drawing(
    job: Job, drawings: Drawings, request: ImagineRequest, drawing: Drawing, origin: Origin | None, made_from: str
) -> None:
    """Show `drawing`, several pictures as one sheet; it is kept first, since its buttons need that."""
    page = Page(_text(request, drawing, _lineage(made_from, job.asker)), await _files(job, request, drawing))
    try:
        kept = await drawings.keep(job.owner, *job.where, request, drawing, origin, private=job.private)
    except StorageError as error:
        log.error("a drawing is shown without buttons: %s", error, exc_info=error)
        note = tr("The bot could not note how this was drawn, so there are no buttons.")
        await job.finish(replace(page, note=note))
        return
    try:
        await job.finish(page, buttons(kept.id, drawing))
    except DELIVERY:
        await drawings.forget(kept.id)
        raise


async def _files(job: Job, request: ImagineRequest, drawing: Drawing) -> tuple[Attached, ...]:
    """One file, none where every picture was held back."""
    pictures = drawing.pictures
    shown = [picture for picture in pictures if picture.png]
    if not shown:
        return ()
    png = shown[0].png if len(pictures) == 1 else await asyncio.to_thread(_sheet, request, drawing)
    seen = dict(zip(shown, await job.wait(captions(job.engine, shown)), strict=True))
    alt = alt_text(request.prompt, [seen.get(picture, "") for picture in pictures])
    return (Attached(f"inkling-{shown[0].seed}.png", png, alt, spoiler=any(picture.flagged for picture in shown)),)


def _sheet(request: ImagineRequest, drawing: Drawing) -> bytes:
    """All pictures as one, with the parameters that repeat them all."""
    repeating = replace(parameters.single(request, drawing, 0), count=request.count)
    return contact_sheet([picture.png for picture in drawing.pictures], parameters.to_text(repeating))


def _lineage(made_from: str, asker: str) -> str:
    """`Picture 2 of … · for @maya`, as far as there is something to say; the mention pings nobody."""
    return " · ".join(filter(None, (made_from, asker and tr("for {person}", person=asker))))


def _text(request: ImagineRequest, drawing: Drawing, lineage: str) -> str:
    lines = [
        quoted(request.prompt),
        f"-# {tr('without: {words}', words=quoted(request.negative_prompt)[2:])}" if request.negative_prompt else "",
        _safety(drawing.pictures),
        neutral(said(drawing.note)),
        "-# " + " · ".join(_settings(request, drawing)),
        f"-# {lineage}" if lineage else "",
    ]
    return "\n".join(line for line in lines if line)


def _safety(pictures: Sequence[Picture]) -> str:
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


def _settings(request: ImagineRequest, drawing: Drawing) -> list[str]:
    settings = [
        f"{drawing.width} × {drawing.height}",
        ntr("{count} step", "{count} steps", drawing.steps, count=drawing.steps),
        drawing.sampler,
        tr("guidance {value:g}", value=drawing.guidance),
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
