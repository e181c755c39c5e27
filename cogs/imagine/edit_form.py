"""A form for the instruction of an edit."""

from __future__ import annotations

import re

import discord

from cogs.client import bot_of
from cogs.common.menu_message import keep_message, kept_message
from cogs.common.persistent_form import Typed
from cogs.common.persistent_view import custom_id
from cogs.common.sources import pictures
from cogs.i18n import tr
from cogs.imagine.editing import check_edit, edit_responder, edits_in_words, perform_edit
from cogs.imagine.image_form import ImageForm, keeping
from inference import EditRequest, InvalidRequest
from storage import Lineage


class EditForm(ImageForm, template=custom_id("edit", "(?P<source>message|image)", r"(?P<id>[\w-]+)")):
    """A form that edits the picture of a stored message, or the picture above the button that opened it.

    Where no model edits `in_words`, the words are drawn into a region instead.
    """

    def __init__(self, source: str, source_id: str, *, in_words: bool) -> None:
        super().__init__(tr("Edit picture"), custom_id("edit", source, source_id))
        asked = tr("What should change") if in_words else tr("What to draw in a part of the picture")
        example = tr("make the cup red") if in_words else tr("a red cup")
        self.add_words(asked, "instruction", "", required=True, placeholder=example)

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        request = EditRequest(prompt=typed["instruction"], owner=str(interaction.user.id))
        async with bot_of(interaction).sessions.open(edit_responder(interaction, request)) as session:
            with keeping(typed["instruction"]):
                message = await _message(interaction, match)
                image = _picture(message)
                checked = check_edit(session, interaction, request, image)
            origin = Lineage(match["id"], "edit") if match["source"] == "image" else None
            await perform_edit(session, checked, image, origin, tr("Edit of {link}", link=message.jump_url))


async def edit_form_for(interaction: discord.Interaction, message: discord.Message) -> EditForm:
    """Return a form to edit the first picture of `message`. Raise InvalidRequest if there is none."""
    _picture(message)
    kept = await keep_message(interaction, message)
    return EditForm("message", kept, in_words=edits_in_words(bot_of(interaction).engine))


async def _message(interaction: discord.Interaction, match: re.Match[str]) -> discord.Message:
    """Return the message with the picture."""
    if match["source"] == "message":
        return await kept_message(interaction, match["id"])
    assert interaction.message is not None, "the form is opened by a button"
    return interaction.message


def _picture(message: discord.Message) -> discord.Attachment:
    found = pictures(message)
    if not found:
        raise InvalidRequest("That message has no picture attached. Pictures behind links can't be edited.")
    return found[0]
