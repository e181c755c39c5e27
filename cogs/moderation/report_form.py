"""The form of the menu "Report", and the way of a report to the server's admins."""

from __future__ import annotations

import re

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.menu_message import keep_message, kept_message
from cogs.common.persistent_form import PersistentForm, Typed
from cogs.common.persistent_view import custom_id
from cogs.common.target import now
from cogs.i18n import tr
from cogs.moderation.report_check import already_reported, audit_channel, check_report
from cogs.moderation.report_message import copied_files, report_buttons, report_embed, report_of, report_text
from cogs.moderation.server_language import in_language_of
from inference import InvalidRequest

_LONGEST_REASON = 400


class ReportForm(PersistentForm, template=custom_id("report-form", r"(?P<message>[\w-]+)")):
    """A form with a field for the reason. `kept` is the id of the stored message."""

    def __init__(self, kept: str) -> None:
        super().__init__(tr("Report this message"), custom_id("report-form", kept))
        reason: discord.ui.TextInput[ReportForm] = discord.ui.TextInput(
            custom_id="reason", style=discord.TextStyle.paragraph, required=False, max_length=_LONGEST_REASON
        )
        about = tr("The message, your reason and your name go to the channel that the admins have chosen.")
        self.add_item(discord.ui.Label(text=tr("What is wrong with it?"), description=about[:100], component=reason))

    @classmethod
    async def open(cls, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open the form, or say why the person can't report the message."""
        async with bot_of(interaction).sessions.open(InteractionResponder.of(interaction, private=True)):
            await check_report(interaction, message)
            await interaction.response.send_modal(cls(await keep_message(interaction, message)))

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        responder = InteractionResponder.of(interaction, private=True)
        async with bot_of(interaction).sessions.open(responder):
            message = await kept_message(interaction, match["message"])
            await check_report(interaction, message)
            await responder.acknowledge()  # not that of the session: a report is no request to a model
            await _pass_on(interaction, message, (typed["reason"] or "").strip())
            await interaction.edit_original_response(
                content=tr("Thank you. The admins of this server have your report.")
            )


async def _pass_on(interaction: discord.Interaction, message: discord.Message, reason: str) -> None:
    """Send the report to the channel for reports; raise InvalidRequest if that is impossible."""
    bot, reporter = bot_of(interaction), interaction.user.id
    if not await bot.store.reports.add(reporter, message.channel.id, message.id, now()):
        raise already_reported()
    try:
        await _send(interaction, message, reason)
    except BaseException:
        await bot.store.reports.withdraw(reporter, message.id)
        raise


async def _send(interaction: discord.Interaction, message: discord.Message, reason: str) -> None:
    audit = audit_channel(interaction)
    report = await report_of(bot_of(interaction).store, message, interaction.user.id, reason)
    files = await copied_files(message, audit)
    with in_language_of(interaction.guild):
        text, embed, view = report_text(report), report_embed(report, files), report_buttons(report)
    try:
        await audit.send(text, embed=embed, view=view, files=files, allowed_mentions=discord.AllowedMentions.none())
    except (discord.Forbidden, discord.NotFound) as error:
        raise InvalidRequest(
            "I may not write in the channel for reports, so I can't pass this on. Write to an admin, with a link to "
            "the message; they can let me write there, or set another channel with /server-settings."
        ) from error
