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


def files_of_components(components: Iterable[Any]) -> Iterator[discord.Attachment]:
    """Yield the files that galleries show, also those inside containers, if they were uploaded to Discord.

    Discord does not tell their size, so it is 0.
    """
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield from (_file(item) for item in component.items if item.media.attachment_id)
        yield from files_of_components(getattr(component, "children", ()))


def _file(item: discord.MediaGalleryItem) -> discord.Attachment:
    media = item.media
    data: Any = {
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
    return discord.Attachment(data=data, state=media._state)  # pyright: ignore  # as discord.py does for attachments
