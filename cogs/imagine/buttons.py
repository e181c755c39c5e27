"""The buttons below a drawing. What they do is in `actions`; `Press` in `studio` hears them."""

from __future__ import annotations

from typing import Literal, get_args

import discord

from cogs.i18n import tr
from inference import ImageResult

Action = Literal["one", "vary", "reroll", "remix", "parameters", "delete"]
ACTIONS: tuple[Action, ...] = get_args(Action)

CUSTOM_ID = rf"inkling:imagine:(?P<action>{'|'.join(ACTIONS)}):(?P<drawing>[\w-]+)(?::(?P<picture>\d))?"
"""All that a press carries: the rest is in the store, so that buttons work for as long as their message is there."""

_IN_A_ROW = 5


def buttons(drawing_id: str, drawing: ImageResult) -> discord.ui.View:
    """U1, U2, … and V1, V2, … for each picture of several, Vary for a single one, and what concerns them all."""
    view = discord.ui.View(timeout=None)
    row = 0
    several = len(drawing.pictures) > 1
    if several:
        row = _add_row_for_each(view, row, "U", "one", drawing_id, drawing)
        row = _add_row_for_each(view, row, "V", "vary", drawing_id, drawing)
    else:
        view.add_item(_button(tr("Vary"), row, f"vary:{drawing_id}:0", disabled=not _shown(drawing)[0]))
    view.add_item(_button(tr("Re-roll"), row, f"reroll:{drawing_id}"))
    view.add_item(_button(tr("Remix"), row, f"remix:{drawing_id}"))
    view.add_item(_button(tr("Parameters"), row, f"parameters:{drawing_id}"))
    view.add_item(_button(tr("Delete"), row, f"delete:{drawing_id}"))
    view.stop()  # presses are not for this object, which the next restart would end
    return view


def _add_row_for_each(
    view: discord.ui.View, row: int, letter: str, action: Action, drawing_id: str, drawing: ImageResult
) -> int:
    """A button for each picture, five a row; those of pictures that were held back can't be pressed."""
    for index, shown in enumerate(_shown(drawing)):
        custom_id = f"{action}:{drawing_id}:{index}"
        view.add_item(_button(f"{letter}{index + 1}", row + index // _IN_A_ROW, custom_id, disabled=not shown))
    return row - (-len(drawing.pictures) // _IN_A_ROW)


def _shown(drawing: ImageResult) -> list[bool]:
    return [bool(picture.png) for picture in drawing.pictures]


def _button(label: str, row: int, custom_id: str, *, disabled: bool = False) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(label=label, row=row, custom_id=f"inkling:imagine:{custom_id}", disabled=disabled)
