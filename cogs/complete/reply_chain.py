"""Continuing a text by a reply; the chain of replies gives the earlier messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import discord

from cogs.client import Inkling
from cogs.common import MessageResponder, ReplySession
from cogs.common.calls import without_name
from cogs.common.markdown import without_escapes
from cogs.common.persistent_view import custom_id
from cogs.common.sources import pointed_at, replied_to, text_of_message
from cogs.complete.service import USUAL_LENGTH, show_completion
from inference import CompleteRequest, InvalidRequest, Message
from storage import CompletionHistory

_MOST_TEXTS = 10
"""The most texts of a chain that are read; each text takes two messages."""

_NO_SPACE_BEFORE = '.,;:!?…)”’"'
"""Characters that follow a word without a space."""


async def continue_by_reply(bot: Inkling, message: discord.Message, words: str | None = None) -> bool:
    """Continue the text that `message` replies to with `words`, by default those after the bot's name.

    Return False, and do nothing, if the message replied to is not a text by the bot.
    """
    words = _words(message) if words is None else words.strip()
    async with bot.sessions.open(MessageResponder.of(bot, message, "complete")) as session:
        text = await replied_to(message)
        if text is None or not _is_text(bot, text):
            return False
        if not words:
            raise InvalidRequest("Add the words that the text is to go on with, or press Continue below it.")
        await _continue(bot, session, message, text, words)
    return True


async def _continue(
    bot: Inkling, session: ReplySession, message: discord.Message, text: discord.Message, words: str
) -> None:
    """Continue with the model and the settings of the text before."""
    stored = await bot.store.completions.shown_by(text.id)
    options = (
        stored.history.request
        if stored
        else CompleteRequest(prompt=words, max_new_tokens=USUAL_LENGTH, whole_sentences=True)
    )
    chat = stored.history.chat if stored else _is_answer(text)
    before = await _messages_before(bot, session, message)
    prompt = words if chat else _spaced(before, words)
    request = replace(options, prompt=prompt, seed=None, n=1, owner=str(message.author.id))
    await show_completion(session, request, before)


async def messages_before_text(bot: Inkling, session: ReplySession, text: discord.Message) -> tuple[Message, ...]:
    """Return the messages before the one that `text` answers, oldest first."""
    asked = await replied_to(text)
    return await _messages_before(bot, session, asked) if asked else ()


async def foreign_prompt(session: ReplySession, text: discord.Message) -> str:
    """Read again the message by somebody else that `text` continues, since it is not stored.

    Raise InvalidRequest if it is deleted or hidden.
    """
    asked = await pointed_at(text)
    beginning = await pointed_at(asked) if asked else None
    if beginning is None:
        raise InvalidRequest("The message that this goes on from is gone, so I can't go on with it.")
    return await text_of_message(session, beginning)


async def _messages_before(bot: Inkling, session: ReplySession, asked: discord.Message | None) -> tuple[Message, ...]:
    before: tuple[Message, ...] = ()
    for _ in range(_MOST_TEXTS):
        text = await replied_to(asked) if asked else None
        if text is None or not _is_text(bot, text):
            break
        stored = await bot.store.completions.shown_by(text.id)
        pair = await _messages_stored(session, text, stored.history) if stored else _messages_shown(text)
        before = (*pair, *before)
        asked = await replied_to(text)
    return before


async def _messages_stored(
    session: ReplySession, text: discord.Message, history: CompletionHistory
) -> Sequence[Message]:
    prompt = history.request.prompt
    if history.foreign:
        with suppress(InvalidRequest):  # without it if it is deleted or hidden
            prompt = await foreign_prompt(session, text)
    return Message("user", prompt), Message("assistant", history.written)


def _messages_shown(text: discord.Message) -> Sequence[Message]:
    """Read the messages from the text's own message; a continued text is one message together with its prompt."""
    lines = [line for line in text.content.split("\n") if not line.startswith("-# ")]
    asked = [Message("user", without_escapes(lines.pop(0)[2:]))] if _is_answer(text) else []
    return [*asked, Message("assistant", without_escapes(_BOLD.sub("", "\n".join(lines).strip())))]


_BOLD = re.compile(r"(?<!\\)\*\*")


def _is_text(bot: Inkling, message: discord.Message) -> bool:
    """Return whether it is a text by the bot, which has the buttons of /complete."""
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    ids = [str(getattr(button, "custom_id", "")) for row in rows for button in row.children]
    return message.author == bot.user and any(each.startswith(custom_id("complete", "")) for each in ids)


def _is_answer(text: discord.Message) -> bool:
    """Return whether a chat model wrote it: then the prompt is shown as a quote."""
    return text.content.startswith("> ")


def _words(message: discord.Message) -> str:
    """Return the text after the bot's name."""
    return without_name(message).strip()


def _spaced(before: Sequence[Message], words: str) -> str:
    """Return `words` as the continuation of a text, with a space before them if needed."""
    text = before[-1].content if before else ""
    no_space = not text or text[-1].isspace() or words[0] in _NO_SPACE_BEFORE
    return words if no_space else f" {words}"
