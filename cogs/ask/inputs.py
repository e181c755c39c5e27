"""What people give to look in: a text, files, a linked message, the last messages; as one text."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from cogs.common import ReplySession
from cogs.common.channel_history import Transcript
from cogs.common.history_range import HistoryRange, read_history
from cogs.common.sources import (
    Source,
    check_files,
    documents,
    join_sources,
    linked_message,
    pointed_at,
    source_of_file,
    sources_of_message,
)
from cogs.i18n import tr


@dataclass(frozen=True, slots=True)
class AskInputs:
    """What was given; `messages` is how many of the channel's last ones."""

    text: str = ""
    files: tuple[discord.Attachment, ...] = ()
    link: str = ""
    messages: int = 0

    def __bool__(self) -> bool:
        return bool(self.text or self.files or self.link or self.messages)


async def gather_inputs(session: ReplySession, interaction: discord.Interaction, given: AskInputs) -> Source:
    """All of it, in the order of the options.

    Acknowledges where something must be fetched, after all that can be refused from memory; raises InvalidRequest.
    """
    check_files(session, given.files)
    linked = await linked_message(session, interaction, given.link) if given.link else None
    past = await read_history(session, interaction, HistoryRange(given.messages)) if given.messages else None
    sources = [Source(given.text, (_name_of_typed(given),))]
    sources += [await source_of_file(session, file) for file in given.files]
    sources += await sources_of_message(session, linked) if linked else []
    sources += [_of_transcript(past[1])] if past else []
    return join_sources(sources)


async def gather_by_reply(session: ReplySession, message: discord.Message) -> Source | None:
    """What a plain message points at: the message it replies to and its own documents; None without either."""
    target = await pointed_at(message)
    own = documents(message)
    if target is None and not own:
        return None
    sources = await sources_of_message(session, target) if target else []
    check_files(session, own)
    return join_sources([*sources, *[await source_of_file(session, file) for file in own]])


def _name_of_typed(given: AskInputs) -> str:
    return tr("the text you gave") if given.files or given.link or given.messages else ""


def _of_transcript(past: Transcript) -> Source:
    links = tuple(message.jump_url for message in past.messages)
    return Source(past.text, links, past.boundaries, past.coverage())
