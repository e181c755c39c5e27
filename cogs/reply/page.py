"""What one message shows: text and files, as plain data, so that it can be sent more than once."""

from __future__ import annotations

import io
from dataclasses import dataclass

import discord

from cogs.reply.text import PART, split

MOST_PARTS = 3
"""A longer text comes as a file: more messages than this would flood the channel."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a message; `alt` is its description for people who can't see it."""

    name: str
    data: bytes
    alt: str = ""

    def file(self) -> discord.File:
        """A new one each time: Discord's own object serves a single sending."""
        return discord.File(io.BytesIO(self.data), self.name, description=self.alt[:1024] or None)


@dataclass(frozen=True, slots=True)
class Page:
    """`text` is ready to send (escaped where it must be); `plain` is what a file of it would hold."""

    text: str
    files: tuple[Attached, ...] = ()
    plain: str = ""


def pages(page: Page, upload_limit: int) -> list[Page]:
    """The messages that `page` takes: split at good places, or the text as a file when it is very long."""
    page = _within_upload_limit(page, upload_limit)
    parts = [part for part in split(page.text) if part.strip()]
    if len(parts) > MOST_PARTS:
        whole = Attached("text.txt", (page.plain or page.text).encode())
        note = "\n-# The whole text is in the attached file."
        return [Page(split(page.text, PART - len(note))[0] + note, (*page.files, whole))]
    first, *rest = parts or ["\u200b"]
    return [Page(first, page.files), *(Page(part) for part in rest)]


def _within_upload_limit(page: Page, limit: int) -> Page:
    small = tuple(file for file in page.files if len(file.data) <= limit)
    lost = len(page.files) - len(small)
    if not lost:
        return page
    note = f"\n{lost} of {len(page.files)} files are over the {limit // 10**6} MB that Discord takes here. "
    return Page(page.text + note + "Ask for a smaller size.", small, page.plain)
