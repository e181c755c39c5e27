"""Pictures that are too large for Discord, made to fit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cogs.common.message_content import AttachedFile, MessageContent
from cogs.i18n import ntr
from inference import encode_webp


async def within_limit(content: MessageContent, limit: int) -> MessageContent:
    """`content` with PNG files of more than `limit` bytes as WebP files, and small print that says so."""
    large = [file for file in content.files if _is_large_picture(file, limit)]
    if not large:
        return content
    files = [await _smaller(file, limit) if file in large else file for file in content.files]
    values = {"large": len(large), "count": len(content.files), "most": limit // 10**6}
    note = ntr(
        "This picture is WebP, since the PNG is over the {most} MB that Discord takes here.",
        "{large} of {count} pictures are WebP, since the PNG is over the {most} MB that Discord takes here.",
        len(content.files),
        **values,
    )
    return replace(content, files=tuple(files), note=f"{content.note} {note}".strip())


def _is_large_picture(file: AttachedFile, limit: int) -> bool:
    return len(file.data) > limit and file.name.endswith(".png")


async def _smaller(file: AttachedFile, limit: int) -> AttachedFile:
    data = await asyncio.to_thread(encode_webp, file.data, limit)
    return replace(file, name=file.name.removesuffix("png") + "webp", data=data) if data else file
