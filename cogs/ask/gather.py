"""What people give to look in: a text, files, a linked message, the last messages; as one text."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from cogs.language import tr
from cogs.reply import Job
from cogs.reply.history import Transcript
from cogs.reply.sources import (
    Source,
    check_files,
    documents,
    joined,
    linked_message,
    pointed_at,
    source_of_file,
    sources_of_message,
)
from cogs.reply.stretch import Stretch, read_stretch


@dataclass(frozen=True, slots=True)
class Given:
    """What was given; `messages` is how many of the channel's last ones."""

    text: str = ""
    files: tuple[discord.Attachment, ...] = ()
    link: str = ""
    messages: int = 0

    def __bool__(self) -> bool:
        return bool(self.text or self.files or self.link or self.messages)


async def gather(job: Job, interaction: discord.Interaction, given: Given) -> Source:
    """All of it, in the order of the options.

    Acknowledges where something must be fetched, after all that can be refused from memory; raises InvalidRequest.
    """
    check_files(job, given.files)
    linked = await linked_message(job, interaction, given.link) if given.link else None
    past = await read_stretch(job, interaction, Stretch(given.messages)) if given.messages else None
    sources = [Source(given.text, (_name_of_typed(given),))]
    sources += [await source_of_file(job, file) for file in given.files]
    sources += await sources_of_message(job, linked) if linked else []
    sources += [_of_transcript(past[1])] if past else []
    return joined(sources)


async def gather_by_reply(job: Job, message: discord.Message) -> Source | None:
    """What a plain message points at: the message it replies to and its own documents; None without either."""
    target = await pointed_at(message)
    own = documents(message)
    if target is None and not own:
        return None
    sources = await sources_of_message(job, target) if target else []
    check_files(job, own)
    return joined([*sources, *[await source_of_file(job, file) for file in own]])


def _name_of_typed(given: Given) -> str:
    return tr("the text you gave") if given.files or given.link or given.messages else ""


def _of_transcript(past: Transcript) -> Source:
    links = tuple(message.jump_url for message in past.messages)
    return Source(past.text, links, past.borders, past.coverage())
