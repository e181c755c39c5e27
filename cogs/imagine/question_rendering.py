"""The question before drawing: how many jobs, or which part of a picture; and its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import discord

from cogs.common import AttachedFile, MessageContent, quoted
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.i18n import ntr, tr
from cogs.imagine.rendering import region_name
from inference import REGIONS, cells_of, cells_region, region_overlay, serializable

PICK = "pick on the picture"
"""The option's choice that asks for a region with nothing chosen."""

_NAMED = [name for name in REGIONS if name != "centre"]
"""The named regions except the centre, which is the middle cell."""

_CELLS = 9
_CELLS_IN_A_ROW = 3
_ROW_OF_NAMES = 3
_LAST_ROW = 4


@serializable
@dataclass(frozen=True, slots=True)
class DrawingQuestion:
    """What a question is about: the prompts and, if a region is to be chosen, the `region` so far.

    With `replaces_edit`, an edit in words was wanted, for which there is no model.
    """

    prompts: tuple[str, ...]
    region: str = ""
    replaces_edit: bool = False


async def question_content(question: DrawingQuestion, picture: bytes, megapixels: float) -> MessageContent:
    """Return the question; of a region, with the `picture` and the chosen part marked. `megapixels` limits the picture.

    Raise InvalidRequest if the picture is no picture.
    """
    prompts = [quoted(prompt) for prompt in question.prompts]
    jobs = [tr("This makes {count} jobs:", count=len(prompts))] if len(prompts) > 1 else []
    if not picture:
        return MessageContent("\n".join([*jobs, *prompts]))
    marked = await asyncio.to_thread(region_overlay, picture, question.region, megapixels)
    chosen = region_name(question.region) if question.region else tr("nothing yet")
    alt = tr("Your picture under a grid of nine numbered cells. Chosen: {region}.", region=chosen)
    lines = [tr("Which part should be drawn anew? The rest stays as it is."), *jobs, *prompts]
    if question.replaces_edit:
        lines.append(
            "-# "
            + tr(
                "No model here edits in words alone. It draws your words into the part that you choose, so say what "
                "is there afterwards: “a red cup”."
            )
        )
    return MessageContent("\n".join(lines), (AttachedFile("regions.png", marked, alt),))


def question_view(question_id: str, question: DrawingQuestion, *, with_region: bool) -> discord.ui.View:
    """Return [Draw] and [Cancel]; `with_region`, also a button for each cell and each named region."""
    draw = Button(
        label=ntr("Draw", "Draw {count}", len(question.prompts), count=len(question.prompts)),
        style=discord.ButtonStyle.primary,
        custom_id=custom_id("question", "draw", question_id),
        disabled=with_region and not question.region,
        row=_LAST_ROW,
    )
    cancel = Button(label=tr("Cancel"), custom_id=custom_id("question", "cancel", question_id), row=_LAST_ROW)
    return persistent_view(*(_parts(question_id, question.region) if with_region else ()), draw, cancel)


def toggled(region: str, part: str) -> str:
    """Return the region after a press on the button of `part`, a cell or a named region."""
    if not part.isdigit():
        return "" if part == region else part
    cells = cells_of(region) ^ {int(part)}
    return cells_region(cells) if cells else ""


def _parts(question_id: str, region: str) -> Iterator[Button]:
    chosen = {region, *map(str, cells_of(region))}
    rows = {str(cell + 1): cell // _CELLS_IN_A_ROW for cell in range(_CELLS)}
    for part, row in (rows | dict.fromkeys(_NAMED, _ROW_OF_NAMES)).items():
        style = discord.ButtonStyle.success if part in chosen else discord.ButtonStyle.secondary
        yield Button(label=region_name(part), style=style, custom_id=custom_id("question", part, question_id), row=row)
