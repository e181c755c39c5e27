"""The parameters that repeat an image, for the person who asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.common import AttachedFile, MessageContent
from cogs.i18n import tr
from inference import GeneratedImage, infotext
from storage import StoredImage

_LONGEST = 2000
"""The most characters of a message in Discord."""

_LONGEST_SEEDS = 1000

_FENCE = "```"
_BROKEN_FENCE = "`\u200b`\u200b`"


def parameters_content(stored: StoredImage) -> MessageContent:
    """Return the parameters of the first picture and all seeds; add files if a message is too small.

    This is slow if the image started from a picture: call it in a thread.
    """
    text = infotext.to_text(infotext.request_for_image(stored.request, stored.result, 0))
    seeds = _seeds_of(stored.result.pictures)
    whole = _shown(text, seeds)
    if _FENCE not in text and len(whole) <= _LONGEST:
        return MessageContent(whole)
    below = "\n".join(
        part for part in (tr("The files have everything exactly as it is."), seeds[:_LONGEST_SEEDS]) if part
    )
    room = _LONGEST - len(_shown("", below))
    files = (AttachedFile("parameters.txt", text.encode()), AttachedFile("seeds.txt", seeds.encode()))
    return MessageContent(_shown(text.replace(_FENCE, _BROKEN_FENCE)[:room], below), files if seeds else files[:1])


def _shown(text: str, below: str) -> str:
    return f"{_FENCE}\n{text}\n{_FENCE}\n{below}"


def _seeds_of(pictures: Sequence[GeneratedImage]) -> str:
    """Return a line for each picture if there are several."""
    lines = [
        f"-# {tr('Picture {number}: {seeds}', number=number, seeds=_seeds(picture))}"
        for number, picture in enumerate(pictures, 1)
    ]
    return "\n".join(lines) if len(lines) > 1 else ""


def _seeds(picture: GeneratedImage) -> str:
    """Return the seeds of a picture: `seed 7, variation 9 (0.2)`."""
    variations = [
        tr("variation {seed} ({strength:g})", seed=variation.seed, strength=variation.strength)
        for variation in picture.variations
    ]
    return ", ".join([tr("seed {first}", first=picture.seed), *variations])
