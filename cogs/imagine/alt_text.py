"""Alt texts of pictures for people who can't see them, marked as machine-made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from cogs.i18n import tr
from inference import Caption, CaptionRequest, EditRequest, Engine, GeneratedImage, ImagineRequest, InferenceError

log = logging.getLogger(__name__)

_LONGEST = 1024
"""The most characters that Discord takes."""

_SECONDS = 20
"""The longest wait for a caption."""


async def captions(engine: Engine, pictures: Sequence[GeneratedImage]) -> list[str]:
    """Return a caption for each picture; empty if the model is not loaded, takes too long, or fails."""
    if not engine.loaded("caption"):
        return [""] * len(pictures)
    return await asyncio.gather(*(_caption(engine, picture) for picture in pictures))


def alt_text(request: ImagineRequest, seen: Sequence[str]) -> str:
    """Return an alt text of at most 1024 characters for a picture or a grid; `seen` has captions, maybe empty.

    `Machine-made description: a red apple. Drawn from the words: "apple"`
    """
    words, is_edit = " ".join(request.prompt.split()), isinstance(request, EditRequest)
    if not any(seen):
        if is_edit:
            return _cut(tr('Edited by a machine as told: "{words}"', words=words))
        return _cut(tr('Drawn by a machine from the words: "{words}"', words=words))
    numbered = [f"{number}: {caption}" for number, caption in enumerate(seen, 1) if caption]
    described = "; ".join(numbered) if len(seen) > 1 else seen[0]
    described = described.rstrip(".")
    if is_edit:
        return _cut(
            tr('Machine-made description: {described}. Edited as told: "{words}"', described=described, words=words)
        )
    return _cut(
        tr('Machine-made description: {described}. Drawn from the words: "{words}"', described=described, words=words)
    )


def numbered_alt_text(request: ImagineRequest, caption: str, number: int, count: int) -> str:
    """Return the alt text of one of `count` pictures in a gallery: `Picture 2 of 4. Machine-made description: …`."""
    described = alt_text(request, [caption])
    return _cut(tr("Picture {number} of {count}. {described}", number=number, count=count, described=described))


async def _caption(engine: Engine, picture: GeneratedImage) -> str:
    """Return a caption. The request has no owner, since the person did not ask for it."""
    try:
        async with asyncio.timeout(_SECONDS):
            value = await engine.run(engine.check(CaptionRequest(image=picture.png)))
    except (InferenceError, TimeoutError) as error:
        log.warning("a picture has no caption: %s", error)
        return ""
    return value.text if isinstance(value, Caption) and not str(value.note) else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
