"""The text and the buttons of an image's message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import discord

from cogs.common import neutral, quoted
from cogs.common.error_messages import in_current_language
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.i18n import ntr, tr, word
from cogs.imagine.outpaint_buttons import outpaint_buttons
from inference import FastMode, GeneratedImage, ImageResult, ImagineRequest, cells_of

Action = Literal["one", "vary", "edit", "compare", "enlarge", "reroll", "remix", "parameters", "delete"]

_IN_A_ROW = 5

_ROW_OF_IMAGE = 3
"""The row of the buttons for the whole image, below a single picture."""


def image_text(request: ImagineRequest, result: ImageResult, lineage: str) -> str:
    """Return the message's text; `lineage` says what the image was made from, if anything."""
    lines = [
        quoted(request.prompt),
        f"-# {tr('without: {words}', words=quoted(request.negative_prompt)[2:])}" if request.negative_prompt else "",
        _safety(result.pictures),
        neutral(in_current_language(result.note)),
        "-# " + " · ".join(_settings(request, result)),
        f"-# {lineage}" if lineage else "",
    ]
    return "\n".join(line for line in lines if line)


def image_buttons(
    image_id: str, result: ImageResult, *, has_source: bool = False, can_enlarge: bool = False
) -> discord.ui.View:
    """Return U1, … and V1, … for several pictures or Vary and others for a single one, and those for the whole image.

    A single picture that `has_source` can be compared with the picture that it was made from. One that a model can
    enlarge has the button Enlarge.
    """
    shown = [bool(picture.png) for picture in result.pictures]
    if len(shown) > 1:
        rows = -(-len(shown) // _IN_A_ROW)
        buttons = [*_for_each("U", "one", 0, image_id, shown), *_for_each("V", "vary", rows, image_id, shown)]
        row = 2 * rows
    else:
        actions: dict[Action, str] = {"vary": tr("Vary"), "edit": tr("Edit")}
        if can_enlarge:
            actions["enlarge"] = tr("Enlarge")
        if has_source:
            actions["compare"] = tr("Compare")
        buttons = [_button(label, each, 0, image_id, 0, disabled=not shown[0]) for each, label in actions.items()]
        buttons += outpaint_buttons(image_id, result)
        row = _ROW_OF_IMAGE
    return persistent_view(
        *buttons,
        _button(tr("Re-roll"), "reroll", row, image_id),
        _button(tr("Remix"), "remix", row, image_id),
        _button(tr("Parameters"), "parameters", row, image_id),
        _button(tr("Delete"), "delete", row, image_id),
    )


def region_name(region: str) -> str:
    """Return a region's name in the current language: `left half`, `cells 1 2 5`."""
    if cells := cells_of(region):
        return tr("cells {numbers}", numbers=" ".join(map(str, sorted(cells))))
    return word(region, "choice")


def _safety(pictures: Sequence[GeneratedImage]) -> str:
    """Say why a picture is missing or covered."""
    if held_back := sum(not picture.png for picture in pictures):
        return tr(
            "The safety checker held back {count} of {all}. Try another seed or other words.",
            count=held_back,
            all=len(pictures),
        )
    if flagged := sum(picture.flagged for picture in pictures):
        return tr("The safety checker flagged {count} of {all}, so it is covered.", count=flagged, all=len(pictures))
    return ""


def _settings(request: ImagineRequest, result: ImageResult) -> list[str]:
    settings = [
        _size(result),
        ntr("{count} step", "{count} steps", result.steps, count=result.steps),
        result.sampler,
        tr("guidance {value:g}", value=result.guidance_scale),
        tr("image guidance {value:g}", value=result.image_guidance_scale) if result.image_guidance_scale else "",
        tr("strength {value:g}", value=result.strength) if result.strength is not None else "",
        _fast(result.fast),
        _region(request),
        neutral(f"LoRA {request.lora}") if request.lora else "",
        _seeds([picture.seed for picture in result.pictures]),
        _variations([p.variations[-1].seed for p in result.pictures if p.variations]),
    ]
    return [setting for setting in settings if setting]


def _size(result: ImageResult) -> str:
    size = f"{result.width} × {result.height}"
    if not any(result.enlarged):
        return size
    width, height = result.enlarged
    return tr("{size}, enlarged to {width} × {height}", size=size, width=width, height=height)


def _fast(fast: FastMode | None) -> str:
    """Say what a fast picture was drawn without."""
    if fast is None:
        return ""
    percent = round(100 * (fast.guidance_end or 0))
    parts = [
        tr("fast"),
        tr("guidance in {percent}% of the steps", percent=percent) if percent < 100 else "",
        tr("deep layers every {interval} steps", interval=fast.cache_interval) if fast.cache_interval > 1 else "",
    ]
    return ", ".join(part for part in parts if part)


def _region(request: ImagineRequest) -> str:
    if request.region:
        return tr("region {name}", name=region_name(request.region))
    return tr("with a mask") if request.mask else ""


def _seeds(seeds: Sequence[int]) -> str:
    """Return the range of consecutive seeds."""
    first, last = seeds[0], seeds[-1]
    return ntr("seed {first}", "seeds {first} to {last}", 1 if first == last else 2, first=first, last=last)


def _variations(seeds: Sequence[int]) -> str:
    """Return the range of consecutive variation seeds, or nothing."""
    if not seeds:
        return ""
    first, last = seeds[0], seeds[-1]
    return ntr("variation {first}", "variations {first} to {last}", len(seeds), first=first, last=last)


def _for_each(letter: str, action: Action, row: int, image_id: str, shown: Sequence[bool]) -> Iterator[Button]:
    """Return a button for each picture, five in a row; those of held back pictures are disabled."""
    for index, each in enumerate(shown):
        label = f"{letter}{index + 1}"
        yield _button(label, action, row + index // _IN_A_ROW, image_id, index, disabled=not each)


def _button(label: str, action: Action, row: int, *parts: object, disabled: bool = False) -> Button:
    return discord.ui.Button(label=label, row=row, custom_id=custom_id("imagine", action, *parts), disabled=disabled)
