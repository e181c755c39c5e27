"""/edit and its menu: changes of a picture in words."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder
from cogs.common.help_texts import PICTURES, examples
from cogs.common.options import Seed, Text, models_of
from cogs.i18n import gettext_noop
from cogs.imagine.edit_form import EditForm, edit_form_for
from cogs.imagine.editing import check_edit, edit_responder, perform_edit
from cogs.imagine.settings_line import with_settings
from inference import EditRequest


class Edits(commands.Cog):
    """The commands that edit pictures in words."""

    help_group = PICTURES

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        about = {"about": gettext_noop("Changes its picture as you say.")}
        bot.tree.add_command(app_commands.ContextMenu(name="Edit picture", callback=self.edit_picture, extras=about))
        bot.forms.append(EditForm)

    @app_commands.command(
        extras=examples({"image": gettext_noop("cup.png"), "instruction": gettext_noop("make the cup red")})
    )
    @app_commands.describe(
        image="The picture to change",
        instruction="What should change; {red,blue} stands for several pictures",
        count="How many pictures at once",
        seed="0 to 4294967295; the same seed repeats a picture",
        model="Which model",
        advanced="More settings, such as Steps: 40, CFG scale: 6, Image CFG scale: 1.5",
    )
    @app_commands.autocomplete(model=models_of("edit"))
    async def edit(
        self,
        interaction: discord.Interaction,
        image: discord.Attachment,
        instruction: Text,
        count: app_commands.Range[int, 1, 10] = 1,
        seed: Seed | None = None,
        model: str = "",
        advanced: str = "",
    ) -> None:
        """Change a picture by saying what should be different."""
        request = EditRequest(prompt=instruction, count=count, seed=seed, model=model, owner=str(interaction.user.id))
        async with self.bot.sessions.open(edit_responder(interaction, request)) as session:
            checked = check_edit(session, interaction, with_settings(request, advanced), image)
            await perform_edit(session, checked, image)

    async def edit_picture(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open a form for the instruction; this is the menu "Edit picture"."""
        async with self.bot.sessions.open(InteractionResponder.of(interaction)):
            await interaction.response.send_modal(await edit_form_for(interaction, message))
