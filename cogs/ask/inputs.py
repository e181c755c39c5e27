"""The inputs of /ask as one text: a text, files, a linked message, the last messages."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from cogs.common import ReplySession, neutral
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
    """The inputs; `messages` is the number of the channel's last messages."""

    text: str = ""
    files: tuple[discord.Attachment, ...] = ()
    link: str = ""
    messages: int = 0

    def __bool__(self) -> bool:
        return bool(self.text or self.files or self.link or self.messages)


async def gather_inputs(session: ReplySession, interaction: discord.Interaction, inputs: AskInputs) -> Source:
    """Join all inputs in the order of the options.

    Acknowledge if something must be fetched, after the checks that need no request to Discord; raise InvalidRequest.
    """
    check_files(session, inputs.files)
    linked = await linked_message(session, interaction, inputs.link) if inputs.link else None
    history = await read_history(session, interaction, HistoryRange(inputs.messages)) if inputs.messages else None
    sources = [Source(inputs.text, (_name_of_typed(inputs),))]
    sources += [await source_of_file(session, file) for file in inputs.files]
    sources += await sources_of_message(session, linked) if linked else []
    sources += [_source_of_transcript(history[1])] if history else []
    return join_sources(sources)


async def gather_by_reply(session: ReplySession, message: discord.Message) -> Source | None:
    """Join the message replied to and the documents of `message`; return None if it has neither."""
    target = await pointed_at(message)
    own = documents(message)
    if target is None and not own:
        return None
    sources = await sources_of_message(session, target) if target else []
    check_files(session, own)
    return join_sources([*sources, *[await source_of_file(session, file) for file in own]])


def _name_of_typed(inputs: AskInputs) -> str:
    return tr("the text you gave") if inputs.files or inputs.link or inputs.messages else ""


def _source_of_transcript(transcript: Transcript) -> Source:
    origins = tuple(f"{neutral(message.name)} ({message.jump_url})" for message in transcript.messages)
    return Source(transcript.text, origins, transcript.boundaries, transcript.coverage(), text_source="channel")
