"""Pictures that are too large for Discord, made to fit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cogs.language import ntr
from cogs.reply.page import Attached, Page
from inference import encode_webp


async def within_limit(page: Page, limit: int) -> Page:
    """`page` with PNG files of more than `limit` bytes as WebP files, and small print that says so."""
    large = [file for file in page.files if _is_large_picture(file, limit)]
    if not large:
        return page
    files = [await _smaller(file, limit) if file in large else file for file in page.files]
    values = {"large": len(large), "count": len(page.files), "most": limit // 10**6}
    note = ntr(
        "This picture is WebP, since the PNG is over the {most} MB that Discord takes here.",
        "{large} of {count} pictures are WebP, since the PNG is over the {most} MB that Discord takes here.",
        len(page.files),
        **values,
    )
    return replace(page, files=tuple(files), note=f"{page.note} {note}".strip())


def _is_large_picture(file: Attached, limit: int) -> bool:
    return len(file.data) > limit and file.name.endswith(".png")


async def _smaller(file: Attached, limit: int) -> Attached:
    data = await asyncio.to_thread(encode_webp, file.data, limit)
    return replace(file, name=file.name.removesuffix("png") + "webp", data=data) if data else file
