"""How a text looks in its message, and its buttons.

The person's words are in bold, or quoted above where the model answers them.
"""

from __future__ import annotations

import re
from typing import Literal

import discord

from cogs.common import AttachedFile, MessageContent, neutral, quoted
from cogs.common.markdown import tail
from cogs.common.persistent_item import Button, custom_id, persistent_view
from cogs.i18n import tr
from storage import TextThread

Action = Literal["continue", "another", "undo", "delete", "previous", "next"]

_PROMPT_SHOWN = 400
_SPACES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)

_LONGEST = 1650
"""Characters of one message, with room for small print. A text keeps to its message, and a file has the rest."""

_LONGEST_DRAFT = 1400


def finished_content(thread: TextThread, why: str = "") -> MessageContent:
    """Return the text as it stays; where it is longer than a message, its end, and all of it as a file.

    `why` tells what ended it.
    """
    head = _head(thread)
    body = neutral(_words(thread, thread.written), code=True)
    content = MessageContent((head + body).rstrip(), note=_note(thread, why))
    if not thread.written.strip():
        return MessageContent(f"{head.rstrip()}\n{tr('The model added nothing.')}", note=content.note)
    if len(content.text) <= _LONGEST:
        return content
    note = f"{tr('The whole text is in the attached file.')}\n-# {content.note}"
    return MessageContent(_cut(thread, thread.written, _LONGEST), (_file(thread),), note=note)


def draft_content(thread: TextThread, text: str) -> MessageContent:
    """Return the text while `text` is being added to it; the file is for when it ends there."""
    whole = _head(thread) + neutral(_words(thread, thread.written + text))
    if len(whole) <= _LONGEST_DRAFT:
        return MessageContent(whole)
    return MessageContent(_cut(thread, thread.written + text, _LONGEST_DRAFT), (_file(thread, text),))


def thread_buttons(thread_id: str, thread: TextThread) -> discord.ui.View:
    """Return what can be done with the text, and a second row to leaf through the variants of its last segment."""
    last = thread.segments[-1]
    answered = thread.chat and last.variant.finish_reason == "stop"

    def button(label: str, action: Action, row: int = 0, *, disabled: bool = False) -> Button:
        each = custom_id("complete", action, thread_id)
        return discord.ui.Button(label=label, custom_id=each, row=row, disabled=disabled)

    buttons = [
        button(tr("Continue"), "continue", disabled=answered or not last.variant.text.strip()),
        button(tr("Try another"), "another", disabled=thread.request.temperature == 0),  # it would write the same
        button(tr("Undo"), "undo", disabled=len(thread.segments) == 1),
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


def _cut(thread: TextThread, written: str, longest: int) -> str:
    """The prompt, and as much of the end of what is `written` as there is room for."""
    head = _head(thread)
    return head + tail(neutral(_words(thread, written)), longest - len(head))


def _head(thread: TextThread) -> str:
    """The person's words, or their end when there are many. `…` stands for what was said before them."""
    if thread.foreign:
        return "" if thread.chat else "…"
    if thread.chat:
        return quoted(thread.request.prompt) + "\n\n"
    prompt = thread.request.prompt
    match = _SPACES.fullmatch(prompt[-_PROMPT_SHOWN:])
    assert match is not None, "it fits every text"
    before, words, after = match.groups()
    dots = "…" if len(prompt) > _PROMPT_SHOWN else "… " if thread.follows else before
    return f"{dots}**{neutral(words)}**{after}"


def _words(thread: TextThread, written: str) -> str:
    """A reply begins with its first word; what is added to a text may begin with a space."""
    return written.lstrip() if thread.chat else written


def _file(thread: TextThread, text: str = "") -> AttachedFile:
    """All of it as it was written, and the prompt where both are one text."""
    written = thread.written + text
    plain = written.lstrip() if thread.chat else thread.request.prompt + written
    return AttachedFile("text.txt", plain.encode())


def _note(thread: TextThread, why: str) -> str:
    variant = thread.segments[-1].variant
    ended = tr("the model ended here") if variant.finish_reason == "stop" else ""
    parts = (tr("seed {seed}", seed=variant.seed), ended, why)
    return " · ".join(part for part in parts if part)
