"""The buttons below a text. What they do is in `actions`; `Press` in `press` hears them."""

from __future__ import annotations

from typing import Literal, get_args

import discord

from cogs.i18n import tr
from storage import TextThread

Action = Literal["continue", "another", "undo", "delete", "previous", "next"]

PREFIX = "inkling:complete:"
CUSTOM_ID = rf"{PREFIX}(?P<action>{'|'.join(get_args(Action))}):(?P<story>[\w-]+)"
"""All that a press carries: the rest is in the store, so that buttons work for as long as their message is there."""


def buttons(thread_id: str, thread: TextThread) -> discord.ui.View:
    """What can be done with the story, and a second row to turn pages where its last piece has several takes."""
    last = thread.segments[-1]
    over = not last.variant.text.strip() or (
        thread.chat and last.variant.finish_reason == "stop"
    )  # an answer has been given
    view = discord.ui.View(timeout=None)

    def add(label: str, action: str, row: int = 0, *, disabled: bool = False) -> None:
        custom_id = f"{PREFIX}{action}:{thread_id}"
        view.add_item(discord.ui.Button(label=label, custom_id=custom_id, row=row, disabled=disabled))

    add(tr("Continue"), "continue", disabled=over)
    add(tr("Try another"), "another", disabled=thread.request.temperature == 0)  # it would write the same
    add(tr("Undo"), "undo", disabled=len(thread.segments) == 1)
    add(tr("Delete"), "delete")
    if len(last.variants) > 1:
        add(tr("Previous"), "previous", 1, disabled=last.shown == 0)
        add(f"{last.shown + 1}/{len(last.variants)}", "page", 1, disabled=True)
        add(tr("Next"), "next", 1, disabled=last.shown == len(last.variants) - 1)
    view.stop()  # presses are not for this object, which the next restart would end
    return view
