"""A report as a message: what was reported, by whom and why, and what admins have done about it."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass

import discord

from cogs.common.age_restriction import age_restricted
from cogs.common.delivery import DELIVERY
from cogs.common.markdown import neutral
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.sources import attachments, text_of
from cogs.i18n import slash, tr
from storage import SentAnswer, Store

log = logging.getLogger(__name__)

_LONGEST_TEXT = 2000
_LONGEST_EMBED = 4096
"""The most characters of a text in an embed of Discord."""

_LONGEST_NAME = 100
"""The most characters of a model's name, so that the report and what is done about it fit into a message."""


@dataclass(frozen=True, slots=True)
class Report:
    """A reported message, who asked for it and who reports it, by their ids, and the reporter's words.

    `asker` and `answer` are None where that is not known.
    """

    message: discord.Message
    asker: int | None
    answer: SentAnswer | None
    reporter: int
    reason: str


async def report_of(store: Store, message: discord.Message, reporter: int, reason: str) -> Report:
    """Return the report, with what is known of the message from storage, or else from Discord."""
    answer = await store.sent_answers.first_of(_answers_of(message))
    return Report(message, answer.owner if answer else _asker(message), answer, reporter, reason)


def _answers_of(message: discord.Message) -> list[int]:
    """Return the ids under which the message may be stored: long texts have further messages below the first."""
    origin, reply = message.interaction_metadata, message.reference
    found = (message.id, origin and origin.original_response_message_id, reply and reply.message_id)
    return [number for number in found if number]


def _asker(message: discord.Message) -> int | None:
    """Return who used the command, or whom the message replies to, as Discord says."""
    if message.interaction_metadata:
        return message.interaction_metadata.user.id
    replied = message.reference and (message.reference.resolved or message.reference.cached_message)
    return replied.author.id if isinstance(replied, discord.Message) else None


def report_text(report: Report) -> str:
    """Return who reported which message and why, and who asked which model for it, in the current language.

    People are named here and not in an embed, where Discord shows those that it does not know as numbers.
    """
    answer, unknown = report.answer, tr("unknown")
    link = report.message.jump_url
    if report.message.flags.ephemeral:
        link += " · " + tr("only {person} sees it", person=_person(report.reporter))
    lines = [
        tr("**A message of mine was reported**: {link}", link=link),
        tr("**Asked for by**: {person}", person=_person(report.asker) if report.asker else unknown),
        tr("**Command**: {command}", command=slash(answer.task) if answer else unknown),
        tr("**Model**: {model}", model=f"`{answer.model[:_LONGEST_NAME]}`" if answer else unknown),
        tr("**Reported by**: {person}", person=_person(report.reporter)),
        tr("**Reason**: {reason}", reason=neutral(" ".join(report.reason.split())) or tr("none was given")),
    ]
    return "\n".join(lines)


def _person(number: int) -> str:
    return f"<@{number}>"


def report_embed(report: Report, files: list[discord.File]) -> discord.Embed:
    """Return the reported text in the current language, and links to its files that are not among `files`."""
    message = report.message
    links = [f"[{neutral(each.filename)}]({each.url})" for each in attachments(message)[len(files) :]]
    content = re.sub(r"^-# ", "", text_of(message)[:_LONGEST_TEXT], flags=re.MULTILINE)  # embeds have no small text
    text = "\n".join([content or tr("(no text)"), *links])
    return discord.Embed(description=text[:_LONGEST_EMBED], colour=discord.Colour.red(), timestamp=message.created_at)


def report_buttons(report: Report) -> discord.ui.View:
    """Return what admins can do about the report, in the current language."""
    message, danger = report.message, discord.ButtonStyle.danger
    buttons = [Button(label=tr("Dismiss"), custom_id=custom_id("report", "dismiss"))]
    if report.asker:
        block_id = custom_id("report", "block", report.asker)
        buttons.insert(0, Button(label=tr("Block this person here"), custom_id=block_id, style=danger))
    if not message.flags.ephemeral:
        delete_id = custom_id("report", "delete", message.channel.id, message.id)
        buttons.insert(0, Button(label=tr("Delete message"), custom_id=delete_id, style=danger))
    return persistent_view(*buttons)


async def copied_files(message: discord.Message, audit: discord.abc.GuildChannel) -> list[discord.File]:
    """Return the first files of the message as spoilers, as far as they can be read and sent there.

    Files of an age-restricted channel are not shown in a channel that is not age-restricted.
    """
    if age_restricted(message.channel) and not age_restricted(audit):
        return []
    files: list[discord.File] = []
    for attachment in attachments(message):
        if attachment.size > audit.guild.filesize_limit:
            break
        try:
            async with asyncio.timeout(20):
                files.append(await attachment.to_file(spoiler=True))
        except DELIVERY as error:
            log.info("a file of a reported message could not be copied: %s", error)
            break
    return files


async def note(interaction: discord.Interaction, line: str, *, done: str, over: bool = False) -> None:
    """Add a line to the report of a pressed button, and drop the buttons `done` and `dismiss`, or all if it is `over`.

    The interaction is deferred. The report is read again, since another admin may have changed it meanwhile.
    """
    message = await interaction.original_response()
    gone = tuple(custom_id("report", action) for action in (done, "dismiss"))
    left = [] if over else [button for button in _buttons(message) if not str(button.custom_id).startswith(gone)]
    await interaction.edit_original_response(
        content=f"{message.content}\n{line}",
        view=persistent_view(*left) if left else None,
        allowed_mentions=discord.AllowedMentions.none(),
    )


def _buttons(message: discord.Message) -> list[discord.ui.Button[discord.ui.View]]:
    view = discord.ui.View.from_message(message, timeout=None)
    buttons = [item for item in view.children if isinstance(item, discord.ui.Button)]
    view.stop()
    return buttons
