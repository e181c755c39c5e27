"""What the buttons below a drawing do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import discord

from cogs.common import ReplySession, ReplySessions
from cogs.common.sources import read
from cogs.i18n import tr
from cogs.imagine.buttons import Action
from cogs.imagine.parameters_view import parameters_content
from cogs.imagine.remix_form import RemixForm
from cogs.imagine.safety_rules import for_channel
from cogs.imagine.service import generate_images, show_images
from inference import ImagineRequest, InvalidRequest, Variation, crop_from_grid, infotext
from storage import ImageTable, Lineage, StoredImage

_VARIATIONS = 4
_VARIATION_STRENGTH = 0.2

_NO_FILE = (
    "Discord did not hand over the file of this picture, so nothing can be cut out of it. Re-roll or Remix draws anew."
)


@dataclass(frozen=True, slots=True)
class ImagePress:
    """A button, by the owner of the drawing: `index` is the picture that it is about, counted from 0."""

    interaction: discord.Interaction
    message: discord.Message
    sessions: ReplySessions
    session: ReplySession
    drawings: ImageTable
    kept: StoredImage
    index: int

    @property
    def picture(self) -> str:
        """Which picture that is, in words, with a way there."""
        if len(self.kept.drawing.pictures) == 1:
            return self.message.jump_url
        return tr("picture {number} of {link}", number=self.index + 1, link=self.message.jump_url)

    def allowed(self, request: ImagineRequest) -> ImagineRequest:
        """By the rules of this channel, which may have changed."""
        return for_channel(request, self.interaction.channel, self.session.engine.config)

    async def draw(self, request: ImagineRequest, origin: Lineage, made_from: str) -> None:
        checked = self.session.check(self.allowed(request))
        await generate_images(self.session, self.drawings, checked, origin, made_from)


async def show_one(pressed: ImagePress) -> None:
    """One picture of a sheet, cut out of it; drawn anew where the sheet was too large to go out without a loss, or at
    all."""
    kept, index = pressed.kept, pressed.index
    request = pressed.allowed(infotext.request_for_image(kept.request, kept.drawing, index))
    picture = kept.drawing.pictures[index]
    if picture.flagged and not request.show_flagged:
        raise InvalidRequest("The safety checker objects to this picture, so it is not shown in this channel.")
    origin = Lineage(kept.id, "picture", index)
    made_from = tr("Picture {number} of {link}", number=index + 1, link=pressed.message.jump_url)
    file = next(iter(pressed.message.attachments), None)
    if file is None or not file.filename.endswith(".png"):
        await pressed.draw(request, origin, made_from)
        return
    await pressed.session.acknowledge()
    sheet = await _fetched(file)
    png = await asyncio.to_thread(
        lambda: crop_from_grid(sheet, index, len(kept.drawing.pictures), infotext.to_text(request))
    )
    drawing = replace(kept.drawing, pictures=(replace(picture, png=png),), note="")
    await show_images(pressed.session, pressed.drawings, request, drawing, origin, made_from)


async def vary(pressed: ImagePress) -> None:
    """Pictures that start from nearly the same noise, and so look much like this one."""
    parent = infotext.request_for_image(pressed.kept.request, pressed.kept.drawing, pressed.index)
    turn = Variation(_new_seed(), _VARIATION_STRENGTH)
    count = min(_VARIATIONS, pressed.session.limits.pictures)
    request = replace(parent, variations=(*parent.variations, turn), count=count)
    made_from = tr("Variations of {picture}", picture=pressed.picture)
    await pressed.draw(request, Lineage(pressed.kept.id, "variations", pressed.index), made_from)


async def reroll(pressed: ImagePress) -> None:
    """The same once more from other noise; of variations, other ones of the same picture."""
    request = pressed.kept.request
    if request.variations:
        *others, last = request.variations
        request = replace(request, variations=(*others, replace(last, seed=_new_seed())))
    else:
        request = replace(request, seed=_new_seed())
    made_from = tr("Another try at {link}", link=pressed.message.jump_url)
    await pressed.draw(request, Lineage(pressed.kept.id, "reroll"), made_from)


async def remix(pressed: ImagePress) -> None:
    pressed.session.check_rules()
    form = RemixForm(pressed.sessions, pressed.drawings, pressed.kept, pressed.message.jump_url)
    await pressed.interaction.response.send_modal(form)


async def show_parameters(pressed: ImagePress) -> None:
    content = await asyncio.to_thread(parameters_content, pressed.kept)
    files = [file.file() for file in content.files]
    await pressed.interaction.response.send_message(content.text, files=files, ephemeral=True)


async def delete(pressed: ImagePress) -> None:
    await pressed.interaction.response.defer()
    await pressed.interaction.delete_original_response()
    await pressed.drawings.forget(pressed.kept.id)


ACTIONS: dict[Action, Callable[[ImagePress], Awaitable[None]]] = {
    "one": show_one,
    "vary": vary,
    "reroll": reroll,
    "remix": remix,
    "parameters": show_parameters,
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
