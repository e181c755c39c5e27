"""A picture before and after it was changed, for the person who asked for it."""

from __future__ import annotations

import asyncio

from cogs.common import AttachedFile, MessageContent
from cogs.common.message_content import compress_large_pictures
from cogs.i18n import tr
from inference import side_by_side


async def comparison_content(before: bytes, after: bytes, prompt: str, upload_limit: int) -> MessageContent:
    """Return both pictures side by side in one file of at most `upload_limit` bytes."""
    both = await asyncio.to_thread(side_by_side, before, after)
    alt = tr('Left: the picture before. Right: after "{words}".', words=" ".join(prompt.split()))
    content = MessageContent(tr("Left: before. Right: after."), (AttachedFile("comparison.png", both, alt),))
    return await compress_large_pictures(content, upload_limit)
