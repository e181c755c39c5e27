"""A message of components: a text, a media gallery, and rows of buttons. Discord calls this Components V2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import discord

_Row = discord.ui.ActionRow[discord.ui.LayoutView]


def gallery_layout(text: str, files: Sequence[discord.File], view: discord.ui.View | None) -> discord.ui.LayoutView:
    """Return the layout of a message that shows `text`, then `files` as a gallery, then the items of `view`.

    A file's alt text and spoiler are those of its picture. The items of `view` must name their rows.
    """
    gallery: discord.ui.MediaGallery[discord.ui.LayoutView] = discord.ui.MediaGallery(
        *(discord.MediaGalleryItem(file) for file in files)
    )
    layout = discord.ui.LayoutView(timeout=None)
    for component in (discord.ui.TextDisplay[discord.ui.LayoutView](text), gallery, *_rows(view)):
        layout.add_item(component)
    layout.stop()  # so that discord.py does not keep this object
    return layout


def _rows(view: discord.ui.View | None) -> Iterator[_Row]:
    items: list[Any] = view.children if view else []
    for _, row in groupby(sorted(items, key=_row_number), key=_row_number):
        yield discord.ui.ActionRow(*row)


def _row_number(item: discord.ui.Item[Any]) -> int:
    return item.row or 0
