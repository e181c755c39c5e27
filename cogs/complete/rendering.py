"""The message of a text, and its buttons.

The person's words are in bold, or in a quote above the model's answer.
"""

from __future__ import annotations

import re
from typing import Literal

import discord

from cogs.common import AttachedFile, MessageContent, neutral, quoted
from cogs.common.markdown import tail
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.i18n import tr
from storage import CompletionHistory

Action = Literal["continue", "another", "undo", "delete", "previous", "next"]

_PROMPT_SHOWN = 400
_SPACES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)

_LONGEST = 1650
"""The most characters of a text in its message, with room for small print; a longer text gets a file."""

_LONGEST_DRAFT = 1400


def finished_content(history: CompletionHistory, why: str = "") -> MessageContent:
    """Return the finished text; if it is too long, return its end, and all of it as a file.

    `why` says what ended it.
    """
    head = _head(history)
    body = neutral(_words(history, history.written), code=True)
    content = MessageContent((head + body).rstrip(), note=_note(history, why))
    if not history.written.strip():
        return MessageContent(f"{head.rstrip()}\n{tr('The model added nothing.')}", note=content.note)
    if len(content.text) <= _LONGEST:
        return content
    note = f"{tr('The whole text is in the attached file.')}\n-# {content.note}"
    return MessageContent(_cut(history, history.written, _LONGEST), (_file(history),), note=note)


def draft_content(history: CompletionHistory, text: str) -> MessageContent:
    """Return the text while `text` is being added to it; the file is used if it ends there."""
    whole = _head(history) + neutral(_words(history, history.written + text))
    if len(whole) <= _LONGEST_DRAFT:
        return MessageContent(whole)
    return MessageContent(_cut(history, history.written + text, _LONGEST_DRAFT), (_file(history, text),))


def completion_buttons(completion_id: str, history: CompletionHistory) -> discord.ui.View:
    """Return the buttons for the text, and a second row to switch between the variants of its last segment."""
    last = history.segments[-1]
    answered = history.chat and last.variant.finish_reason == "stop"

    def button(label: str, action: Action, row: int = 0, *, disabled: bool = False) -> Button:
        each = custom_id("complete", action, completion_id)
        return discord.ui.Button(label=label, custom_id=each, row=row, disabled=disabled)

    buttons = [
        button(tr("Continue"), "continue", disabled=answered or not last.variant.text.strip()),
        button(
            tr("Try another"), "another", disabled=history.request.temperature == 0
        ),  # it would write the same again
        button(tr("Undo"), "undo", disabled=len(history.segments) == 1),
        button(tr("Delete"), "delete"),
    ]
    if (count := len(last.variants)) > 1:
        number = Button(label=f"{last.shown + 1}/{count}", row=1, disabled=True)
        buttons += [
            button(tr("Previous"), "previous", 1, disabled=last.shown == 0),
            number,
            button(tr("Next"), "next", 1, disabled=last.shown == count - 1),
        ]
    return persistent_view(*buttons)


def _cut(history: CompletionHistory, written: str, longest: int) -> str:
    """Return the prompt and the end of `written`, in at most `longest` characters."""
    head = _head(history)
    return head + tail(neutral(_words(history, written)), longest - len(head))


def _head(history: CompletionHistory) -> str:
    """Return the person's words, or their end if they are long; `…` stands for earlier text."""
    if history.foreign:
        return "" if history.chat else "…"
    if history.chat:
        return quoted(history.request.prompt) + "\n\n"
    prompt = history.request.prompt
    match = _SPACES.fullmatch(prompt[-_PROMPT_SHOWN:])
    assert match is not None, "it fits every text"
    before, words, after = match.groups()
    dots = "…" if len(prompt) > _PROMPT_SHOWN else "… " if history.follows else before
    return f"{dots}**{neutral(words)}**{after}"


def _words(history: CompletionHistory, written: str) -> str:
    """Return the model's text; remove leading spaces from a chat reply, but not from a continuation."""
    return written.lstrip() if history.chat else written


def _file(history: CompletionHistory, text: str = "") -> AttachedFile:
    """Return a file with the whole text without escapes, and with the prompt if it is not a chat."""
    written = history.written + text
    plain = written.lstrip() if history.chat else history.request.prompt + written
    return AttachedFile("text.txt", plain.encode())


def _note(history: CompletionHistory, why: str) -> str:
    variant = history.segments[-1].variant
    ended = tr("the model ended here") if variant.finish_reason == "stop" else ""
    parts = (tr("seed {seed}", seed=variant.seed), ended, why)
    return " · ".join(part for part in parts if part)
