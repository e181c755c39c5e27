"""The content of a message, text and files, as plain data that can be sent more than once."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, replace
from itertools import islice

import discord

from cogs.common.message_splitting import MESSAGE_LIMIT, PART_LIMIT, split_text
from cogs.i18n import ntr, tr
from inference import encode_webp

MOST_MESSAGES = 3
"""The most messages for one text; a longer text becomes a file."""

_NOTHING = "\u200b"
"""An invisible character, since a message can't be empty."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a message; `alt` describes it for people who can't see it, `spoiler` hides it until a click."""

    name: str
    data: bytes
    alt: str = ""
    spoiler: bool = False

    def file(self) -> discord.File:
        """Return a new `discord.File`, since each can be sent only once."""
        alt = self.alt[:1024] or None
        return discord.File(io.BytesIO(self.data), self.name, description=alt, spoiler=self.spoiler)


@dataclass(frozen=True, slots=True)
class MessageContent:
    """The content of a message: `text` is escaped and ready to send, `plain` is the same text for a file.

    `note` is small print below the text; it is always shown, even if the text is long. With `gallery`, the files are
    pictures that are shown as a gallery, each with its alt text. Then all is one message: text and note may have 4000
    characters, and the files together the bytes of the upload limit.
    """

    text: str
    files: tuple[AttachedFile, ...] = ()
    plain: str = ""
    note: str = ""
    gallery: bool = False


def split_into_messages(content: MessageContent, upload_limit: int) -> list[MessageContent]:
    """Split `content` into messages, or into one message with the text as a file if it is very long."""
    if content.gallery:
        return [replace(content, text=content.text + _small_print(content.note), note="")]
    small = _within_upload_limit(content, upload_limit)
    below = _small_print(content.note)
    parts = list(islice((part for part in split_text(small.text) if part.strip()), MOST_MESSAGES + 1)) or [""]
    if len(parts[-1]) + len(below) <= MESSAGE_LIMIT:
        parts[-1] += below
    else:
        parts.append(below)
    if len(parts) > MOST_MESSAGES:
        return [with_file(content, upload_limit)]
    first, *rest = parts
    return [MessageContent(first or _NOTHING, small.files), *(MessageContent(part) for part in rest)]


def first_message(content: MessageContent, upload_limit: int) -> MessageContent:
    """Return the first of the messages of `content`, or a file of its text."""
    return split_into_messages(content, upload_limit)[0]


def with_file(content: MessageContent, upload_limit: int) -> MessageContent:
    """Return one message with the beginning of the text, and the whole text as a file."""
    content = _within_upload_limit(content, upload_limit)
    whole = AttachedFile("text.txt", (content.plain or content.text).encode())
    below = _small_print(tr("The whole text is in the attached file.")) + _small_print(content.note)
    return MessageContent(next(split_text(content.text, PART_LIMIT - len(below))) + below, (*content.files, whole))


async def compress_large_pictures(content: MessageContent, limit: int) -> MessageContent:
    """Return `content` with PNG files of more than `limit` bytes as WebP files, and small print that says so."""
    large = [file for file in content.files if _is_large_picture(file, limit)]
    if not large:
        return content
    files = [await _smaller(file, limit) if file in large else file for file in content.files]
    values = {"large": len(large), "count": len(content.files), "most": limit // 10**6}
    note = ntr(
        "This picture is WebP, since the PNG is over the {most} MB that Discord takes here.",
        "{large} of {count} pictures are WebP, since the PNG is over the {most} MB that Discord takes here.",
        len(content.files),
        **values,
    )
    return replace(content, files=tuple(files), note=f"{content.note} {note}".strip())


def _small_print(note: str) -> str:
    return f"\n-# {note}" if note else ""


def _within_upload_limit(content: MessageContent, limit: int) -> MessageContent:
    small = tuple(file for file in content.files if len(file.data) <= limit)
    lost = len(content.files) - len(small)
    if not lost:
        return content
    note = ntr(
        "{count} of {all} files is over the {most} MB that Discord takes here. Ask for a smaller size.",
        "{count} of {all} files are over the {most} MB that Discord takes here. Ask for a smaller size.",
        lost,
        count=lost,
        all=len(content.files),
        most=limit // 10**6,
    )
    return replace(content, text=f"{content.text}\n{note}", files=small)


def _is_large_picture(file: AttachedFile, limit: int) -> bool:
    return len(file.data) > limit and file.name.endswith(".png")


async def _smaller(file: AttachedFile, limit: int) -> AttachedFile:
    data = await asyncio.to_thread(encode_webp, file.data, limit)
    return replace(file, name=file.name.removesuffix("png") + "webp", data=data) if data else file
