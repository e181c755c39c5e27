"""What a region looks like on its picture, before anything is drawn: a grid to choose from, and the choice tinted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.images.regions import GRID, region_mask

if TYPE_CHECKING:
    from PIL import Image

_LONGEST = 768
"""Pixels of the longer side: large enough to see, small enough to draw and send while somebody waits for a click."""

_TINT = (255, 0, 255)
"""Magenta: few pictures have it."""
_STRENGTH = 0.5
"""How much of the tint lies over the picture."""


def scaled_down(data: bytes, max_megapixels: float) -> bytes:
    """A PNG of the picture in `data`, upright, of at most 768 pixels a side. Raises InvalidRequest for no picture."""
    from inference.images.decoding import encode_png

    return encode_png(_small(data, max_megapixels))


def region_overlay(data: bytes, region: str, max_megapixels: float) -> bytes:
    """A PNG of the picture in `data`, scaled down, under a numbered 3 × 3 grid; `region` is tinted, unless empty.

    Raises InvalidRequest for what is no picture or no region.
    """
    from inference.images.decoding import encode_png

    picture = _small(data, max_megapixels)
    if region:
        _tint(picture, region)
    _draw_grid(picture)
    return encode_png(picture)


def _small(data: bytes, max_megapixels: float) -> Image.Image:
    from inference.images.decoding import open_picture

    picture = open_picture(data, max_megapixels)
    picture.thumbnail((_LONGEST, _LONGEST))
    return picture


def _tint(picture: Image.Image, region: str) -> None:
    chosen = region_mask(region, *picture.size).point(lambda value: value * _STRENGTH)
    picture.paste(_TINT, mask=chosen)


def _draw_grid(picture: Image.Image) -> None:
    """White lines and numbers with a dark edge, so that they show on any picture."""
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    thin = max(1, min(width, height) // 200)
    for colour, thickness in (("black", 3 * thin), ("white", thin)):
        for line in range(1, GRID):
            x, y = width * line // GRID, height * line // GRID
            draw.line(((x, 0), (x, height)), fill=colour, width=thickness)
            draw.line(((0, y), (width, y)), fill=colour, width=thickness)
    font = ImageFont.load_default(max(8, min(width, height) // 12))
    for number in range(1, GRID**2 + 1):
        row, column = divmod(number - 1, GRID)
        middle = ((column + 0.5) * width / GRID, (row + 0.5) * height / GRID)
        draw.text(middle, str(number), "white", font, anchor="mm", stroke_width=2 * thin, stroke_fill="black")
