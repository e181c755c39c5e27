"""/caption and its menus: descriptions of pictures, with a button that draws them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder, MessageContent, ProgressRenderer, ReplyJob, ReplySession, neutral
from cogs.common.error_messages import in_current_language
from cogs.common.help_texts import PICTURES, examples
from cogs.common.markdown import without_escapes
from cogs.common.options import models_of
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.sources import NamedFile, check_size, pictures, read
from cogs.i18n import gettext_noop, tr
from cogs.imagine.prompt_modal import PromptModal
from inference import Caption, CaptionRequest, CheckedRequest, InvalidRequest, serializable

_LINE = re.compile(r"(\d+)\. \*\*(?:\\.|[^\\*])*\*\*: (.*)")
"""A numbered caption: the picture's number, the file's name, and the description."""

_SMALL_PRINT = "\n-# "


class Captions(commands.Cog):
    """The commands that describe pictures."""

    help_group = PICTURES

    def __init__(self, bot: Inkling) -> None:
        self.sessions = bot.sessions
        bot.add_dynamic_items(ImagineThisButton)
        about = {"about": gettext_noop("Says what is in its pictures, with a button to draw that.")}
        menu = app_commands.ContextMenu(name="Caption image", callback=self.caption_message, extras=about)
        bot.tree.add_command(menu)
        about = {"about": gettext_noop("Says what is in its pictures, to you alone.")}
        menu = app_commands.ContextMenu(name="Describe privately", callback=self.describe, extras=about)
        bot.tree.add_command(menu)

    @app_commands.command(
        extras=examples(
            {"image": gettext_noop("photo.jpg")},
        )
    )
    @app_commands.describe(image="The picture", model="Which model")
    @app_commands.autocomplete(model=models_of("caption"))
    async def caption(self, interaction: discord.Interaction, image: discord.Attachment, model: str = "") -> None:
        """Describe a picture in a sentence."""
        async with self.sessions.open(InteractionResponder.of(interaction)) as session:
            await show_captions(session, [image], str(interaction.user.id), model)

    async def caption_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Describe the pictures of a message; this is the menu "Caption image"."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=message.flags.ephemeral)) as session:
            await show_captions(session, pictures(message), str(interaction.user.id))

    async def describe(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Describe the pictures in private, for people who can't see them; this is the menu "Describe privately"."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            await show_captions(session, pictures(message), str(interaction.user.id), drawable=False)


async def show_captions(
    session: ReplySession, files: Sequence[discord.Attachment], owner: str, model: str = "", *, drawable: bool = True
) -> None:
    """Show a caption for each picture, numbered if there are several.

    With `drawable`, each has a button that draws it in public.
    """
    if not files:
        raise InvalidRequest("That message has no picture attached. Pictures behind links can't be described.")
    checked = session.check(CaptionRequest(model=model, owner=owner), pending=["image"])
    for file in files:
        check_size(file, session.engine.config.limits.upload)
    await session.acknowledge()
    pictures = [NamedFile(file.filename, await read(file)) for file in files]
    await session.perform(CaptionJob(checked, tuple(pictures), drawable))


@serializable
@dataclass(frozen=True, slots=True)
class CaptionJob(ReplyJob):
    """A caption for each picture, with a button to draw it if they are `drawable`."""

    checked: CheckedRequest[CaptionRequest]
    pictures: tuple[NamedFile, ...]
    drawable: bool

    async def answer(self, session: ReplySession) -> None:
        if len(self.pictures) == 1:
            caption = await self._caption(session, self.pictures[0], MessageContent)
            await session.finish(_content(_one_line(caption.text), [caption]), self._buttons(session, [0]))
            return
        lines: list[str] = []
        captions: list[Caption] = []
        described: list[int] = []
        for number, picture in enumerate(self.pictures, 1):
            heading = f"{number}. **{neutral(picture.name)}**: "

            def draft(text: str, heading: str = heading) -> MessageContent:
                return MessageContent("\n".join([*lines, f"{heading}{text}"]))

            try:
                captions.append(await self._caption(session, picture, draft))
                text = _one_line(captions[-1].text)
                described.append(number)
            except InvalidRequest as error:  # show the other captions even if one picture fails
                text = in_current_language(error)
            lines.append(f"{heading}{text}")
        await session.finish(_content("\n".join(lines), captions), self._buttons(session, described))

    async def _caption(
        self, session: ReplySession, picture: NamedFile, draft: Callable[[str], MessageContent]
    ) -> Caption:
        """Return the caption. `draft` shows it while it grows."""
        status = ProgressRenderer(draft=lambda text: draft(_one_line(text)))
        return await session.run(self.checked, Caption, status, image=picture.data)

    def _buttons(self, session: ReplySession, numbers: Sequence[int]) -> discord.ui.View | None:
        """Return a button for each of these captions; None if there is no model that draws."""
        if not self.drawable or not numbers or not session.engine.models("imagine"):
            return None
        return persistent_view(*map(_button, numbers))


def _content(text: str, captions: Sequence[Caption]) -> MessageContent:
    """Return the text, with the notes of its captions as small print, each once."""
    notes = dict.fromkeys(in_current_language(caption.note) for caption in captions)
    return MessageContent(text, note=" · ".join(filter(None, notes)))


def _one_line(text: str) -> str:
    return neutral(" ".join(text.split()))


class ImagineThisButton(PersistentItem, template=custom_id("caption", "imagine", r"(?P<number>\d+)")):
    """A button that opens a form with the caption as the prompt. It works for anyone, since it reads the message.

    `number` is the caption's number, 0 if it is the only one.
    """

    @property
    def opens_form(self) -> bool:
        return True

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        session.check_rules()
        caption = caption_in(message.content, int(self.match["number"]))
        await interaction.response.send_modal(PromptModal(tr("Imagine this"), caption))


def caption_in(content: str, number: int) -> str:
    """Return the caption with that number from the bot's own message; 0 for the only one."""
    if not number:
        return without_escapes(content.partition(_SMALL_PRINT)[0])
    lines = (_LINE.fullmatch(line) for line in content.splitlines())
    return next((without_escapes(line[2]) for line in lines if line and int(line[1]) == number), "")


def _button(number: int) -> Button:
    label = tr("Imagine {number}", number=number) if number else tr("Imagine this")
    return discord.ui.Button(label=label, custom_id=custom_id("caption", "imagine", number))
