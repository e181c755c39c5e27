"""Everything needed to repeat a drawing, for the person who asked for it."""

from __future__ import annotations

from cogs.reply import Attached, Page
from inference import Picture, parameters
from storage import Kept

_LONGEST = 1700
"""Of the parameters, in characters: the rest of Discord's 2000 is for the seeds."""

_FENCE = "```"
_BROKEN_FENCE = "`\u200b`\u200b`"


def receipt(kept: Kept) -> Page:
    """The parameters of the first picture, and the seeds of all; in a file as well where a message can't hold them."""
    text = parameters.to_text(parameters.single(kept.request, kept.drawing, 0))
    whole = _FENCE not in text and len(text) <= _LONGEST
    shown = text[:_LONGEST].replace(_FENCE, _BROKEN_FENCE)
    seeds = [f"-# Picture {number}: {_seeds(picture)}" for number, picture in enumerate(kept.drawing.pictures, 1)]
    lines = [
        f"{_FENCE}\n{shown}\n{_FENCE}",
        "" if whole else "The file has them exactly as they are.",
        *(seeds if len(seeds) > 1 else ()),
    ]
    files = () if whole else (Attached("parameters.txt", text.encode()),)
    return Page("\n".join(line for line in lines if line), files)


def _seeds(picture: Picture) -> str:
    """`seed 7, variation 9 (0.2)`"""
    turns = [f"variation {variation.seed} ({variation.strength:g})" for variation in picture.variations]
    return ", ".join([f"seed {picture.seed}", *turns])
