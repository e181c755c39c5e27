"""The buttons below an image, and their actions."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast, get_args

import discord

from cogs.client import Inkling, bot_of
from cogs.common import FollowupResponder, ReplySession, Responder
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.common.sources import attachments, read
from cogs.i18n import gettext_noop, tr
from cogs.imagine.comparison import comparison_content
from cogs.imagine.edit_form import EditForm
from cogs.imagine.editing import edits_in_words
from cogs.imagine.enlarging import enlarge, show_enlarged
from cogs.imagine.gallery import NO_FILE, shown_picture
from cogs.imagine.parameters_view import parameters_content
from cogs.imagine.preparation import for_channel
from cogs.imagine.remix_form import RemixForm
from cogs.imagine.rendering import Action
from cogs.imagine.service import DrawingJob, stored_image
from inference import ImagineRequest, InvalidRequest, Variation, infotext
from storage import Lineage, StoredImage

_VARIATIONS = 4
_VARIATION_STRENGTH = 0.2

_ACTION = f"(?P<action>{'|'.join(get_args(Action))})"


class ImageButton(
    PersistentItem,
    template=custom_id("imagine", _ACTION, r"(?P<image>[\w-]+)") + r"(?::(?P<index>\d))?",
):
    """A button below an image, for its owner; the reply to a press is a new message.

    Remix and Edit open forms, so they are not acknowledged, and read from storage only what the form needs.
    """

    not_yours = gettext_noop(
        "Only the person who asked for this can use its buttons. Draw your own with /imagine, or from this picture "
        "with Remix image in the message's menu, under Apps."
    )

    @property
    def opens_form(self) -> bool:
        return self.match["action"] in _FORMS

    @property
    def begins_request(self) -> bool:
        return self.match["action"] in _NEW_IMAGES

    def responder(self, interaction: discord.Interaction) -> Responder:
        return FollowupResponder.of(interaction)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot, action = bot_of(interaction), cast(Action, self.match["action"])
        stored = await stored_image(bot.store.images, self.match["image"], pictures=action not in _WITHOUT_PICTURES)
        self.check_owner(interaction, stored.owner)
        await _ACTIONS[action](_ImagePress(bot, interaction, message, session, stored, int(self.match["index"] or 0)))


@dataclass(frozen=True, slots=True)
class _ImagePress:
    """A press by the owner of an image; `index` is the index of the picture."""

    bot: Inkling
    interaction: discord.Interaction
    message: discord.Message
    session: ReplySession
    stored: StoredImage
    index: int

    @property
    def picture(self) -> str:
        """The picture in words, with a link."""
        if len(self.stored.result.pictures) == 1:
            return self.message.jump_url
        return tr("picture {number} of {link}", number=self.index + 1, link=self.message.jump_url)

    def allowed(self, request: ImagineRequest) -> ImagineRequest:
        """Apply the rules of this channel, which may have changed, to the request."""
        return for_channel(request, self.interaction.channel, self.bot.config)

    async def generate(self, request: ImagineRequest, origin: Lineage, made_from: str) -> None:
        checked = self.session.check(self.allowed(request))
        await self.session.perform(DrawingJob(checked, origin, made_from))


async def _show_one(press: _ImagePress) -> None:
    """Show one picture by itself, enlarged; generate it again if the message does not have its exact pixels."""
    result, index = press.stored.result, press.index
    request = press.allowed(infotext.request_for_image(press.stored.request, result, index))
    picture = result.pictures[index]
    if picture.flagged and not request.show_flagged:
        raise InvalidRequest("The safety checker objects to this picture, so it is not shown in this channel.")
    origin = Lineage(press.stored.id, "picture", index)
    made_from = tr("Picture {number} of {link}", number=index + 1, link=press.message.jump_url)
    shown = shown_picture(press.message, index, len(result.pictures))
    if shown is None:
        await press.generate(request, origin, made_from)
        return
    await press.session.acknowledge()
    png = await shown.png(infotext.to_text(request))
    if shown.count > 1 or not shown.file.filename.endswith(".png"):  # it is a new file
        png = await press.session.engine.sign(png)
    one = replace(result, pictures=(replace(picture, png=png),), note="")
    await show_enlarged(press.session, request, one, origin, made_from)


async def _enlarge(press: _ImagePress) -> None:
    """Enlarge the picture of the message, which has one."""
    request = press.allowed(infotext.request_for_image(press.stored.request, press.stored.result, 0))
    if press.stored.result.pictures[0].flagged and not request.show_flagged:
        raise InvalidRequest("The safety checker objects to this picture, so it is not shown in this channel.")
    file = next(iter(attachments(press.message)), None)
    if file is None:
        raise InvalidRequest(NO_FILE)
    await press.session.acknowledge()
    png = await read(file)
    origin, made_from = Lineage(press.stored.id, "enlarged", 0), tr("Enlarged from {link}", link=press.message.jump_url)
    await enlarge(press.session, request, press.stored.result, png, origin, made_from)


async def _vary(press: _ImagePress) -> None:
    """Generate pictures from nearly the same noise, so that they look similar."""
    parent = infotext.request_for_image(press.stored.request, press.stored.result, press.index)
    variation = Variation(_new_seed(), _VARIATION_STRENGTH)
    count = min(_VARIATIONS, press.session.limits.pictures)
    request = replace(parent, variations=(*parent.variations, variation), count=count)
    made_from = tr("Variations of {picture}", picture=press.picture)
    await press.generate(request, Lineage(press.stored.id, "variations", press.index), made_from)


async def _reroll(press: _ImagePress) -> None:
    """Generate new pictures, from other noise; also instead of variations."""
    request = replace(press.stored.request, seed=_new_seed(), variations=())
    made_from = tr("Another try at {link}", link=press.message.jump_url)
    await press.generate(request, Lineage(press.stored.id, "reroll"), made_from)


async def _remix(press: _ImagePress) -> None:
    press.session.check_rules()
    await press.interaction.response.send_modal(RemixForm(press.stored))


async def _edit(press: _ImagePress) -> None:
    press.session.check_rules()
    in_words = edits_in_words(press.session.engine)
    await press.interaction.response.send_modal(EditForm("image", press.stored.id, in_words=in_words))


async def _compare(press: _ImagePress) -> None:
    """Show the picture beside the one that it was made from."""
    before, limit = press.stored.request.image, press.interaction.filesize_limit
    if press.stored.result.pictures[0].flagged and not press.allowed(press.stored.request).show_flagged:
        raise InvalidRequest("The safety checker objects to this picture, so it is not shown in this channel.")
    file = next(iter(attachments(press.message)), None)
    if not before or file is None:
        raise InvalidRequest("One of the two pictures is gone, so they can't be compared.")
    content = await comparison_content(before, await read(file), press.stored.request.prompt, limit)
    files = [file.file() for file in content.files]
    await press.interaction.followup.send(content.text, files=files, ephemeral=True)


async def _show_parameters(press: _ImagePress) -> None:
    content = await asyncio.to_thread(parameters_content, press.stored)
    files = [file.file() for file in content.files]
    await press.interaction.followup.send(content.text, files=files, ephemeral=True)


async def _delete(press: _ImagePress) -> None:
    await press.interaction.delete_original_response()
    await press.bot.store.images.forget(press.stored.id)


_ACTIONS: dict[Action, Callable[[_ImagePress], Awaitable[None]]] = {
    "one": _show_one,
    "vary": _vary,
    "edit": _edit,
    "compare": _compare,
    "reroll": _reroll,
    "remix": _remix,
    "parameters": _show_parameters,
    "delete": _delete,
    "enlarge": _enlarge,
}

_NEW_IMAGES: frozenset[Action] = frozenset({"one", "vary", "reroll", "enlarge"})

_FORMS: frozenset[Action] = frozenset({"edit", "remix"})

_WITHOUT_PICTURES: frozenset[Action] = frozenset({"edit", "remix", "delete"})
"""Actions that don't need the pictures that an image started from."""


def _new_seed() -> int:
    return secrets.randbelow(2**32)
