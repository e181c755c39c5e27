"""The message of a reply in a conversation, and its buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import discord

from cogs.chat.formatting import readable
from cogs.chat.memory import NOTES
from cogs.common import MessageContent, ProgressRenderer
from cogs.common.markdown import neutral, seconds
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.target import now
from cogs.i18n import tr
from inference import Event, PartialText, shortened

Action = Literal["continue", "another", "undo"]
ACTIONS: tuple[Action, ...] = get_args(Action)

_LONGEST_SEEN = 300
_PAUSE = 1.5
"""Seconds between two edits."""


def seen_line(name: str, description: str) -> str:
    """Return the line that says what a model saw in a picture; it is also how the bot remembers it."""
    return f"{NOTES[0]}{neutral(name)}: {neutral(shortened(' '.join(description.split()), _LONGEST_SEEN))}"


def reply_content(text: str, seen: Sequence[str] = (), evidence: str = "", notes: Sequence[str] = ()) -> MessageContent:
    """Return a reply: lines about pictures, the text, the evidence for it, and small print."""
    quotes = [tr("What I found there:"), *evidence.removesuffix("\n").split("\n")] if evidence else []
    small_print = [line if line.startswith("-# ") else f"-# {line}" for line in quotes if line.strip()]
    shown = "\n".join([*seen, readable(text).strip(), *small_print])
    plain = "\n".join([text.strip(), *quotes])
    return MessageContent(shown, plain=plain, note=" · ".join(filter(None, notes)))


def reply_buttons(owner: int, thought: float | None, *, complete: bool) -> discord.ui.View:
    """Return the buttons below a reply to `owner`; the model `thought` for so many seconds before it.

    A `complete` reply can't be continued: the model ended it, or its message has files.
    """
    labels: dict[Action, str] = {"continue": tr("Continue"), "another": tr("Try another"), "undo": tr("Undo")}
    buttons = [
        Button(label=label, custom_id=custom_id("chat", action, owner), disabled=action == "continue" and complete)
        for action, label in labels.items()
    ]
    if thought is not None:
        label = tr("Thought for {time}", time=seconds(thought))
        buttons.append(Button(label=label, emoji="💭", custom_id=custom_id("chat", "thoughts")))
    return persistent_view(*buttons)


class ChatRenderer(ProgressRenderer):
    """Shows the growing reply, and before it how long the model has been thinking. `partial` is its latest state."""

    def __init__(self, before: str = "", seen: Sequence[str] = ()) -> None:
        super().__init__("\n".join(seen), lambda text: reply_content(before + text, seen), stop=tr("Stop"))
        self.partial = PartialText("", chat=True)
        self._began: float | None = None
        self._ended: float | None = None

    @property
    def thought(self) -> float | None:
        """The seconds between the first thought and the reply; None if the model did not think."""
        return None if self._began is None else (self._ended or now()) - self._began

    def render(self, event: Event) -> tuple[Callable[[], MessageContent], float]:
        if not isinstance(event, PartialText):
            return super().render(event)
        self.partial = event
        if event.thoughts and self._began is None:
            self._began = now()
        if not event.text:
            return self._thinking, _PAUSE
        self._ended = self._ended or now()
        return super().render(event)

    def _thinking(self) -> MessageContent:
        line = tr("Thinking for {time}…", time=seconds(self.thought or 0))
        return self._line(f"-# 💭 {line}")
