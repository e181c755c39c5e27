"""Files that people attach, and the texts in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import discord

from cogs.reply.errors import DELIVERY
from cogs.reply.job import Job
from inference import InvalidRequest

_READ_SECONDS = 20
_BYTES_A_CHARACTER = 4


async def text_given(
    job: Job, text: str | None, file: discord.Attachment | None, choices: str = "either a text or a file"
) -> str:
    """The text of an option, or that of the file beside it; without exactly one, a refusal names the `choices`."""
    if text is not None and file is None:
        return text
    if text is None and file is not None:
        return await text_of_file(job, file)
    raise InvalidRequest("Give {choices}, and only one of them.", choices=choices)


async def text_of_file(job: Job, file: discord.Attachment) -> str:
    """The text of a file; acknowledges, since fetching it takes a while."""
    limits = job.engine.config.limits
    check_size(file, min(limits.upload, _BYTES_A_CHARACTER * limits.text_characters))
    await job.acknowledge()
    data = await read(file)
    return await asyncio.to_thread(decode, data, file.filename)


def check_size(file: discord.Attachment, limit: int) -> None:
    """Raises InvalidRequest before anything is fetched."""
    if file.size > limit:
        raise InvalidRequest(
            "{name} has {size:.1f} MB; {most:.1f} MB is the most that this bot takes. Send a smaller one.",
            name=_name(file),
            size=file.size / 10**6,
            most=limit / 10**6,
        )


async def read(file: discord.Attachment) -> bytes:
    """The bytes of a file; its size has been checked."""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return await file.read()
    except DELIVERY as error:
        raise InvalidRequest("Discord did not hand over {name}. Upload it again.", name=_name(file)) from error


def decode(data: bytes, name: str) -> str:
    """UTF-8 or UTF-16 with a mark, else Windows' western letters; raises InvalidRequest for what is no text."""
    encodings: Sequence[str] = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(character < " " and character not in "\t\n\r\f\x1b" for character in text):
            return text
    raise InvalidRequest(
        "{name} is not a text file. Send a .txt or .md file.", name=discord.utils.escape_markdown(name)
    )


def _name(file: discord.Attachment) -> str:
    return discord.utils.escape_markdown(file.filename)
