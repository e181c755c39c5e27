"""A sheet of images with their prompts, for visual inspection."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from starter.drawings.vocabulary import HELD_OUT, things

_SIDE = 96
_LABEL = 16
_GAP = 6


def prompts(count: int = 64) -> list[str]:
    """Return the held-out prompts, then names from the whole vocabulary."""
    names = [thing.name for thing in things() if thing.name not in HELD_OUT]
    remaining = count - len(HELD_OUT)
    return [*sorted(HELD_OUT), *(names[i * len(names) // remaining] for i in range(remaining))]


def contact_sheet(images: Tensor, labels: Sequence[str], columns: int = 8) -> Image.Image:
    """Return a sheet of images [n, 3, h, w] from 0 to 1 with `columns` per row, each above its label."""
    width, height = _SIDE + _GAP, _SIDE + _LABEL + _GAP
    sheet = Image.new("RGB", (columns * width + _GAP, -(-len(labels) // columns) * height + _GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = _GAP + i % columns * width, _GAP + i // columns * height
        pixels = (image.permute(1, 2, 0) * 255).round().byte().numpy()
        sheet.paste(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + _SIDE / 2, top + _SIDE + 1), label, "black", font, anchor="ma")
    return sheet
