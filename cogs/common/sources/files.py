"""Attached files, and the texts in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from cogs.common.delivery import DELIVERY
from cogs.common.markdown import neutral
from cogs.common.message_content import MessageContent
from cogs.common.reply_session import ReplySession
from cogs.common.sources.source import Source
from cogs.i18n import tr
from inference import DocumentText, InvalidRequest, serializable

_READ_SECONDS = 20


@serializable
@dataclass(frozen=True, slots=True)
class NamedFile:
    """The bytes of a file, and its name as it was given, not escaped."""

    name: str
    data: bytes


_PAUSE = 1.5
"""Seconds between two edits."""


def check_files(session: ReplySession, files: Sequence[discord.Attachment]) -> None:
    """Raise InvalidRequest for too many or too large files, before they are fetched."""
    limits = session.limits
    if len(files) > limits.files:
        raise InvalidRequest("The most files that I read at once is {most}. Give fewer.", most=limits.files)
    for file in files:
        check_size(file, limits.upload)


async def source_of_file(session: ReplySession, file: discord.Attachment, origin: str = "") -> Source:
    """Acknowledge, show progress, and return the text of a document; raise InvalidRequest.

    `origin` is where it comes from, ready to show; the name of the file if it is empty.
    """
    check_files(session, [file])
    await session.acknowledge()
    session.show_progress(MessageContent(tr("Reading {name}…", name=name_of(file))), _PAUSE)
    document = await session.wait(_read_document(session, file))
    note = ""
    if document.assumed_encoding:
        note = tr(
            "{name} does not name its encoding. I read it as {encoding}; if letters are wrong, save it as UTF-8.",
            name=name_of(file),
            encoding=document.assumed_encoding,
        )
    return Source(document.text, (origin or name_of(file),), note=note, text_source="chosen")


async def _read_document(session: ReplySession, file: discord.Attachment) -> DocumentText:
    data = await read(file)
    most = session.limits.text_characters
    return await session.engine.read_document(data, name_of(file), most, owner=str(session.owner))


def check_size(file: discord.Attachment, limit: int) -> None:
    """Raise InvalidRequest if the file is too large; fetch nothing."""
    if file.size > limit:
        raise InvalidRequest(
            "{name} has {size:.1f} MB; {most:.1f} MB is the most that this bot takes. Send a smaller one.",
            name=name_of(file),
            size=file.size / 10**6,
            most=limit / 10**6,
        )


async def read(file: discord.Attachment) -> bytes:
    """Return the bytes of a file; its size must be checked before."""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return await file.read()
    except DELIVERY as error:
        raise InvalidRequest("Discord did not hand over {name}. Upload it again.", name=name_of(file)) from error


def name_of(file: discord.Attachment) -> str:
    """Return a file's name, escaped."""
    return neutral(file.filename)
