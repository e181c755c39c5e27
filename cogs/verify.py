"""/verify and its menu: what a picture says of its origin, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import InteractionResponder, MessageContent, ReplySession, neutral
from cogs.common.error_messages import in_current_language
from cogs.common.help_texts import PICTURES, examples
from cogs.common.sources import check_files, name_of, pictures, read
from cogs.i18n import gettext_noop, tr
from inference import InvalidRequest, OriginReport

_SURE = -6.0
"""The logarithm of the probability of chance up to which the mark counts as found."""

_PERHAPS = -3.0
"""The logarithm of the probability of chance up to which the mark counts as possible."""

_DRAWN_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")


class Verify(commands.Cog):
    """The commands that tell where a picture is from. Only the person who asks sees the answer."""

    help_group = PICTURES

    def __init__(self, bot: Inkling) -> None:
        self.sessions = bot.sessions
        about = {"about": gettext_noop("Tells what its pictures say of their origin, to you alone.")}
        menu = app_commands.ContextMenu(name="Verify picture", callback=self.verify_message, extras=about)
        bot.tree.add_command(menu)

    @app_commands.command(extras=examples({"image": gettext_noop("photo.jpg")}))
    @app_commands.describe(image="The picture")
    async def verify(self, interaction: discord.Interaction, image: discord.Attachment) -> None:
        """See whether a picture was drawn by a model, and how sure that is."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            await _show_origins(session, [image])

    async def verify_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell the origin of a message's pictures; this is the menu "Verify picture"."""
        async with self.sessions.open(InteractionResponder.of(interaction, private=True)) as session:
            await _show_origins(session, pictures(message))


async def _show_origins(session: ReplySession, files: Sequence[discord.Attachment]) -> None:
    """Show what each picture says of its origin, below its name if there are several."""
    session.check_rules()
    if not files:
        raise InvalidRequest("That message has no picture attached. Pictures behind links can't be verified.")
    check_files(session, files)
    await session.acknowledge()
    if len(files) == 1:
        await session.finish(MessageContent(await _origin(session, files[0])))
        return
    parts: list[str] = []
    for number, file in enumerate(files, 1):
        try:
            text = await _origin(session, file)
        except InvalidRequest as error:  # show the others even if one is no picture
            text = in_current_language(error)
        parts.append(f"{number}. **{name_of(file)}**\n{text}")
    await session.finish(MessageContent("\n\n".join(parts)))


async def _origin(session: ReplySession, file: discord.Attachment) -> str:
    return origin_text(await session.wait(session.engine.read_origin(await read(file), owner=str(session.owner))))


def origin_text(report: OriginReport) -> str:
    """Return a verdict, and below it what the pixels, the file and its signature say."""
    findings = filter(None, (_pixels(report), _file(report), _signature(report)))
    return "\n".join([f"**{_verdict(report)}**", *(f"- {finding}" for finding in findings)])


def _verdict(report: OriginReport) -> str:
    credentials = report.credentials
    if credentials and credentials.state == "trusted" and credentials.source_type in _DRAWN_SOURCES:
        return tr("This picture was drawn by a model. Its signature proves it.")
    if report.mark is not None and report.mark <= _SURE:
        return tr("This picture, or a part of it, was almost certainly drawn by an Inkling bot.")
    signed = credentials.source_type if credentials and credentials.state != "broken" else ""
    if report.source_type in _DRAWN_SOURCES or signed in _DRAWN_SOURCES:
        return tr("This picture says that a model drew it. Anybody could have made it say so.")
    if report.parameters or report.source_type or credentials:
        return tr("This picture says something of its origin, but nothing that proves it.")
    if report.mark is not None and report.mark <= _PERHAPS:
        return tr("Perhaps an Inkling bot drew this picture, perhaps not.")
    return tr("Nothing found. That proves nothing: most pictures say nothing of their origin.")


def _pixels(report: OriginReport) -> str:
    """Say whether the mark is in the pixels."""
    if report.mark is None:
        return tr("Pixels: the picture is too small to hold the mark of an Inkling bot.")
    if report.mark <= _SURE:
        odds = f"{10 ** min(12, int(-report.mark)):,}"
        if report.mark <= -12:
            return tr(
                "Pixels: they hold the mark of an Inkling bot. By chance, not one of {odds} pictures would look like "
                "this. Somebody who knows the program could put the mark into a picture on purpose.",
                odds=odds,
            )
        return tr(
            "Pixels: they hold the mark of an Inkling bot. By chance, one of {odds} pictures would look like this. "
            "Somebody who knows the program could put the mark into a picture on purpose.",
            odds=odds,
        )
    if report.mark <= _PERHAPS:
        return tr("Pixels: something like the mark of an Inkling bot, too faint to rely on.")
    return tr(
        "Pixels: no mark of an Inkling bot. A picture loses it if it is made very small, turned, mirrored or painted "
        "over, and the bot's operator can switch it off."
    )


def _file(report: OriginReport) -> str:
    """Say what the file claims."""
    said = [
        _source(report.source_type) if report.source_type else "",
        tr("It has the settings of a drawing; /imagine can read them.") if report.parameters else "",
    ]
    claims = " ".join(filter(None, said))
    is_signed = report.credentials is not None and report.credentials.state != "broken"
    if claims and not is_signed:
        claims += " " + tr("That is not signed, so anybody could have written it.")
    elif not claims:
        claims = tr("It says nothing of its origin. Many programs remove such lines.")
    return tr("File: {claims}", claims=claims)


def _source(name: str) -> str:
    match name:
        case "trainedAlgorithmicMedia":
            return tr("It says that a model drew the picture.")
        case "compositeWithTrainedAlgorithmicMedia":
            return tr("It says that a model drew a part of the picture.")
        case "algorithmicallyEnhanced":
            return tr("It says that a program made the picture better.")
        case _:
            return tr("It gives “{name}” as the source of the picture.", name=neutral(name))


def _signature(report: OriginReport) -> str:
    """Say what the C2PA signature is worth."""
    credentials = report.credentials
    if not report.reads_signatures:
        return tr("Signature: this bot does not read signatures (C2PA).")
    if credentials is None:
        return tr("Signature: none (C2PA).")
    if credentials.state == "broken":
        return tr("Signature: broken. The picture was changed after it was signed, or the signature is not right.")
    issuer = neutral(credentials.issuer) or tr("somebody without a name")
    if credentials.state == "trusted":
        return tr("Signature: valid, by {issuer}, with the certificate of this bot's operator (C2PA).", issuer=issuer)
    return tr(
        "Signature: valid, by {issuer} (C2PA). The picture is as it was signed. Whether the name is true is not known "
        "here.",
        issuer=issuer,
    )
