"""What one message shows: text and files, as plain data, so that it can be sent more than once."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from itertools import islice

import discord

from cogs.language import ntr, tr
from cogs.reply.parts import MOST, PART, split

MOST_PARTS = 3
"""A longer text comes as a file: more messages than this would flood the channel."""

_NOTHING = "\u200b"
"""A message can't be empty, but it can show nothing."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a message; `alt` is its description for people who can't see it, `spoiler` hides it until a click."""

    name: str
    data: bytes
    alt: str = ""
    spoiler: bool = False

    def file(self) -> discord.File:
        """A new one each time: Discord's own object serves a single sending."""
        alt = self.alt[:1024] or None
        return discord.File(io.BytesIO(self.data), self.name, description=alt, spoiler=self.spoiler)


@dataclass(frozen=True, slots=True)
class Page:
    """`text` is ready to send (escaped where it must be); `plain` is what a file of it would hold.

    `note` is small print, which stays in sight below however long the text is.
    """

    text: str
    files: tuple[Attached, ...] = ()
    plain: str = ""
    note: str = ""


def pages(page: Page, upload_limit: int) -> list[Page]:
    """The messages that `page` takes: split at good places, or the text as a file when it is very long."""
    small = _within_upload_limit(page, upload_limit)
    below = _small_print(page.note)
    parts = list(islice((part for part in split(small.text) if part.strip()), MOST_PARTS + 1)) or [""]
    if len(parts[-1]) + len(below) <= MOST:
        parts[-1] += below
    else:
        parts.append(below)
    if len(parts) > MOST_PARTS:
        return [with_file(page, upload_limit)]
    first, *rest = parts
    return [Page(first or _NOTHING, small.files), *(Page(part) for part in rest)]


def with_file(page: Page, upload_limit: int) -> Page:
    """One message for all of `page`: the beginning of its text, and the text as a file."""
    page = _within_upload_limit(page, upload_limit)
    whole = Attached("text.txt", (page.plain or page.text).encode())
    below = _small_print(tr("The whole text is in the attached file.")) + _small_print(page.note)
    return Page(next(split(page.text, PART - len(below))) + below, (*page.files, whole))


def _small_print(note: str) -> str:
    return f"\n-# {note}" if note else ""


def _within_upload_limit(page: Page, limit: int) -> Page:
    small = tuple(file for file in page.files if len(file.data) <= limit)
    lost = len(page.files) - len(small)
    if not lost:
        return page
    note = ntr(
        "{count} of {all} files is over the {most} MB that Discord takes here. Ask for a smaller size.",
        "{count} of {all} files are over the {most} MB that Discord takes here. Ask for a smaller size.",
        lost,
        count=lost,
        all=len(page.files),
        most=limit // 10**6,
    )
    return replace(page, text=f"{page.text}\n{note}", files=small)
