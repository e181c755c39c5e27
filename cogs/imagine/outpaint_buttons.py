"""The buttons that extend a picture beyond its edges: which there are, and where."""

from __future__ import annotations

from collections.abc import Iterator

import discord

from cogs.common.persistent_view import Button, custom_id
from cogs.i18n import tr
from inference import Extension, ImageResult

ZOOM_ROW, PAN_ROW = 1, 2
"""The rows below a single picture."""

_ARROWS: dict[Extension, str] = {"left": "←", "right": "→", "up": "↑", "down": "↓"}


def outpaint_buttons(image_id: str, result: ImageResult) -> Iterator[Button]:
    """Yield the buttons below a single picture; none if it is held back, or if its model can't inpaint."""
    if not (result.outpainting_side and result.pictures[0].png):
        return
    yield _button(tr("Zoom out 1.5x"), "zoom15", ZOOM_ROW, image_id)
    yield _button(tr("Zoom out 2x"), "zoom2", ZOOM_ROW, image_id)
    if result.width != result.height:
        yield _button(tr("Make square"), "square", ZOOM_ROW, image_id)
    for extension, arrow in _ARROWS.items():
        yield _button(arrow, extension, PAN_ROW, image_id)


def _button(label: str, extension: Extension, row: int, image_id: str) -> Button:
    return discord.ui.Button(label=label, row=row, custom_id=custom_id("outpaint", extension, image_id))
