"""A sheet of pictures with their prompts, for a look with one's own eyes."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from starter.drawings.vocabulary import HELD_OUT, things

_SIDE = 96
_LABEL = 16
_GAP = 6


def prompts(count: int = 64) -> list[str]:
    """What is held out, then names from all over the vocabulary."""
    names = [thing.name for thing in things() if thing.name not in HELD_OUT]
    others = count - len(HELD_OUT)
    return [*sorted(HELD_OUT), *(names[i * len(names) // others] for i in range(others))]


def labelled(images: Tensor, labels: Sequence[str], across: int = 8) -> Image.Image:
    """Images [n, 3, h, w] from 0 to 1 in rows of `across`, each above its label."""
    width, height = _SIDE + _GAP, _SIDE + _LABEL + _GAP
    sheet = Image.new("RGB", (across * width + _GAP, -(-len(labels) // across) * height + _GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = _GAP + i % across * width, _GAP + i // across * height
        pixels = (image.permute(1, 2, 0) * 255).round().byte().numpy()
        sheet.paste(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (left, top))
        pen.text((left + _SIDE / 2, top + _SIDE + 1), label, "black", font, anchor="ma")
    return sheet
