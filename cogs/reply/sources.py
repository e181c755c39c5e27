"""What people hand in: files, and messages they point at. Everything unusable is an InvalidRequest with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import discord

from cogs.reply.errors import DELIVERY
from cogs.reply.job import Job
from inference import InvalidRequest

_READ_SECONDS = 20
_PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic")
_TEXTS = (".txt", ".md", ".markdown", ".rst", ".csv", ".log", ".json", ".yaml", ".yml")
_BYTES_A_CHARACTER = 4

HOW_TO_POINT = (
    "Discord does not show me that message. Open its menu instead (right-click, or a long press on a phone), "
    "then choose Apps."
)


async def text_given(
    job: Job, text: str | None, file: discord.Attachment | None, choices: str = "either a text or a file"
) -> str:
    """The text of an option, or that of the file beside it; without exactly one, a refusal names the `choices`."""
    if text is not None and file is None:
        return text
    if text is None and file is not None:
        return await text_of_file(job, file)
    raise InvalidRequest(f"Give {choices}, and only one of them.")


async def text_of_file(job: Job, file: discord.Attachment) -> str:
    """The text of a file; acknowledges, since fetching it takes a while."""
    limits = job.engine.config.limits
    check_size(file, min(limits.upload, _BYTES_A_CHARACTER * limits.text_characters))
    await job.acknowledge()
    data = await read(file)
    return await asyncio.to_thread(decode, data, file.filename)


async def text_of_message(job: Job, message: discord.Message) -> str:
    """What a message says: its own words, those it forwards or embeds, and its text files."""
    parts = [words(message)]
    for file in attachments(message):
        if file.filename.lower().endswith(_TEXTS):
            parts.append(await text_of_file(job, file))
    return "\n\n".join(part for part in parts if part.strip())


def words(message: discord.Message) -> str:
    """The text of a message, of what it forwards and of its embeds."""
    sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    contents = [source.content for source in sources]
    embeds = [part for source in sources for embed in source.embeds for part in (embed.title, embed.description)]
    return "\n".join(part for part in (*contents, *embeds) if part)


def visible(message: discord.Message) -> bool:
    """Whether Discord shows what is in the message: without the message content intent, all of it is left out."""
    parts = (message.content, message.embeds, message.attachments, message.components, message.message_snapshots)
    return any(parts) or message.poll is not None or bool(message.stickers)


def attachments(message: discord.Message) -> list[discord.Attachment]:
    """The files of a message and of what it forwards."""
    return [*message.attachments, *(file for snapshot in message.message_snapshots for file in snapshot.attachments)]


def pictures(message: discord.Message) -> list[discord.Attachment]:
    """Those that look like pictures; whether they are shows when they are decoded."""
    return [file for file in attachments(message) if _looks_like_picture(file)]


async def pointed_at(message: discord.Message) -> discord.Message | None:
    """The message that `message` replies to, None if it is no reply."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    target = reference.resolved
    if not isinstance(target, discord.Message) or not visible(target):
        target = await _fetch(message.channel, reference.message_id)
    if not visible(target):
        raise InvalidRequest(HOW_TO_POINT)
    return target


def check_size(file: discord.Attachment, limit: int) -> None:
    """Raises InvalidRequest before anything is fetched."""
    if file.size > limit:
        raise InvalidRequest(
            f"{_name(file)} has {file.size / 10**6:.1f} MB; {limit / 10**6:.1f} MB is the most that this bot takes. "
            "Send a smaller one."
        )


async def read(file: discord.Attachment) -> bytes:
    """The bytes of a file; its size has been checked."""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return await file.read()
    except DELIVERY as error:
        raise InvalidRequest(f"Discord did not hand over {_name(file)}. Upload it again.") from error


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
    raise InvalidRequest(f"{discord.utils.escape_markdown(name)} is not a text file. Send a .txt or .md file.")


async def _fetch(channel: discord.abc.Messageable, message_id: int) -> discord.Message:
    try:
        return await channel.fetch_message(message_id)
    except discord.NotFound as error:
        raise InvalidRequest("That message has been deleted.") from error
    except discord.Forbidden as error:
        raise InvalidRequest(HOW_TO_POINT) from error


def _looks_like_picture(file: discord.Attachment) -> bool:
    return (file.content_type or "").startswith("image/") or file.filename.lower().endswith(_PICTURES)


def _name(file: discord.Attachment) -> str:
    return discord.utils.escape_markdown(file.filename)
