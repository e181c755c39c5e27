"""Buttons and menus with lasting ids, which `PersistentItem` handles."""

from __future__ import annotations

from typing import Any

import discord

Button = discord.ui.Button[discord.ui.View]


def custom_id(feature: str, *parts: object) -> str:
    """Return `inkling:<feature>:…`, the id of a button or menu; with patterns as parts, the template of such ids."""
    return ":".join(["inkling", feature, *map(str, parts)])


def persistent_view(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view to send with a message; `PersistentItem` handles its presses, even after a restart."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()  # so that discord.py does not keep this object
    return view
