"""What the buttons below a drawing do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import discord

from cogs.imagine.buttons import Action
from cogs.imagine.drawing import show_drawing, tell_drawing
from cogs.imagine.receipt import receipt
from cogs.imagine.remix import Remix
from cogs.imagine.rules import for_channel
from cogs.language import tr
from cogs.reply import Job, Jobs
from cogs.reply.sources import read
from inference import ImagineRequest, InvalidRequest, Variation, cut, parameters
from storage import Drawings, Kept, Origin

_VARIATIONS = 4
_VARIATION_STRENGTH = 0.2

_NO_FILE = (
    "Discord did not hand over the file of this picture, so nothing can be cut out of it. Re-roll or Remix draws anew."
)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button, by the owner of the drawing: `index` is the picture that it is about, counted from 0."""

    interaction: discord.Interaction
    message: discord.Message
    jobs: Jobs
    job: Job
    drawings: Drawings
    kept: Kept
    index: int

    @property
    def picture(self) -> str:
        """Which picture that is, in words, with a way there."""
        if len(self.kept.drawing.pictures) == 1:
            return self.message.jump_url
        return tr("picture {number} of {link}", number=self.index + 1, link=self.message.jump_url)

    def allowed(self, request: ImagineRequest) -> ImagineRequest:
        """By the rules of this channel, which may have changed."""
        return for_channel(request, self.interaction.channel, self.job.engine.config)

    async def draw(self, request: ImagineRequest, origin: Origin, made_from: str) -> None:
        await tell_drawing(self.job, self.drawings, self.allowed(request), origin, made_from)


async def show_one(pressed: Pressed) -> None:
    """One picture of a sheet, cut out of it; drawn anew where the sheet was too large to go out without a loss, or at
    all."""
    kept, index = pressed.kept, pressed.index
    request = pressed.allowed(parameters.single(kept.request, kept.drawing, index))
    picture = kept.drawing.pictures[index]
    if picture.flagged and not request.show_flagged:
        raise InvalidRequest("The safety checker objects to this picture, so it is not shown in this channel.")
    origin = Origin(kept.id, "picture", index)
    made_from = tr("Picture {number} of {link}", number=index + 1, link=pressed.message.jump_url)
    file = next(iter(pressed.message.attachments), None)
    if file is None or not file.filename.endswith(".png"):
        await pressed.draw(request, origin, made_from)
        return
    await pressed.job.acknowledge()
    sheet = await _fetched(file)
    png = await asyncio.to_thread(lambda: cut(sheet, index, len(kept.drawing.pictures), parameters.to_text(request)))
    drawing = replace(kept.drawing, pictures=(replace(picture, png=png),), note="")
    await show_drawing(pressed.job, pressed.drawings, request, drawing, origin, made_from)


async def vary(pressed: Pressed) -> None:
    """Pictures that start from nearly the same noise, and so look much like this one."""
    parent = parameters.single(pressed.kept.request, pressed.kept.drawing, pressed.index)
    turn = Variation(_new_seed(), _VARIATION_STRENGTH)
    count = min(_VARIATIONS, pressed.job.limits.pictures)
    request = replace(parent, variations=(*parent.variations, turn), count=count)
    made_from = tr("Variations of {picture}", picture=pressed.picture)
    await pressed.draw(request, Origin(pressed.kept.id, "variations", pressed.index), made_from)


async def reroll(pressed: Pressed) -> None:
    """The same once more from other noise; of variations, other ones of the same picture."""
    request = pressed.kept.request
    if request.variations:
        *others, last = request.variations
        request = replace(request, variations=(*others, replace(last, seed=_new_seed())))
    else:
        request = replace(request, seed=_new_seed())
    made_from = tr("Another try at {link}", link=pressed.message.jump_url)
    await pressed.draw(request, Origin(pressed.kept.id, "reroll"), made_from)


async def remix(pressed: Pressed) -> None:
    pressed.job.check_here()
    form = Remix(pressed.jobs, pressed.drawings, pressed.kept, pressed.message.jump_url)
    await pressed.interaction.response.send_modal(form)


async def tell_parameters(pressed: Pressed) -> None:
    page = await asyncio.to_thread(receipt, pressed.kept)
    files = [file.file() for file in page.files]
    await pressed.interaction.response.send_message(page.text, files=files, ephemeral=True)


async def delete(pressed: Pressed) -> None:
    await pressed.interaction.response.defer()
    await pressed.interaction.delete_original_response()
    await pressed.drawings.forget(pressed.kept.id)


ACTIONS: dict[Action, Callable[[Pressed], Awaitable[None]]] = {
    "one": show_one,
    "vary": vary,
    "reroll": reroll,
    "remix": remix,
    "parameters": tell_parameters,
    "delete": delete,
}

WITHOUT_PICTURES: frozenset[Action] = frozenset({"remix", "delete"})
"""Those that need not read the pictures that a drawing started from."""


def _new_seed() -> int:
    return secrets.randbelow(2**32)


async def _fetched(file: discord.Attachment) -> bytes:
    try:
        return await read(file)
    except InvalidRequest as error:
        raise InvalidRequest(_NO_FILE) from error
