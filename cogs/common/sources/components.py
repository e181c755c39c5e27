"""The texts and the files that a message shows by components; such a message has no content and no attachments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import discord


def text_of(message: discord.Message) -> str:
    """Return the text of a message as it was sent: its content, or its text components."""
    return message.content or "\n".join(texts_of_components(message.components))


def texts_of_components(components: Iterable[Any]) -> Iterator[str]:
    """Yield the texts of components, also those inside containers and sections."""
    for component in components:
        if isinstance(component, discord.TextDisplay):
            yield component.content
        yield from texts_of_components(getattr(component, "children", ()))


def files_in_galleries(source: discord.Message | discord.MessageSnapshot) -> Iterator[discord.Attachment]:
    """Yield the files that the galleries of the bot's own message show.

    Discord does not tell their size, so it is 0, and those of others may be too large to be read.
    """
    state = source._state  # pyright: ignore[reportPrivateUsage]  # as discord.py does for attachments
    if isinstance(source, discord.MessageSnapshot) or source.author.id != state.self_id:
        return
    for item in _gallery_items(source.components):
        if item.media.attachment_id:
            yield discord.Attachment(data=_attachment(item), state=state)


def _gallery_items(components: Iterable[Any]) -> Iterator[discord.MediaGalleryItem]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield from component.items
        yield from _gallery_items(getattr(component, "children", ()))


def _attachment(item: discord.MediaGalleryItem) -> Any:
    """Return what Discord would send for the file of the item, if it were an attachment."""
    media = item.media
    return {
        "id": media.attachment_id,
        "filename": unquote(PurePosixPath(urlsplit(media.url).path).name),
        "size": 0,
        "url": media.url,
        "proxy_url": media.proxy_url,
        "width": media.width,
        "height": media.height,
        "content_type": media.content_type,
        "description": item.description,
    }
