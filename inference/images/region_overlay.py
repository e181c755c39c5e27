"""Previews of a region on its image: a grid to choose from, with the chosen region tinted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.images.regions import GRID, region_mask

if TYPE_CHECKING:
    from PIL import Image

_MAX_SIDE = 768
"""The longer side in pixels: large enough to see, and quick to draw and send while a user waits."""

_TINT = (255, 0, 255)
"""Magenta, which is rare in images."""
_TINT_OPACITY = 0.5
"""Opacity of the tint."""


def scaled_down(data: bytes, max_megapixels: float) -> bytes:
    """Return the image as PNG, upright, at most 768 pixels per side. Raise InvalidRequest if it is no image."""
    from inference.images.decoding import encode_png

    return encode_png(_thumbnail(data, max_megapixels))


def region_overlay(data: bytes, region: str, max_megapixels: float) -> bytes:
    """Return the image as PNG, scaled down, with a numbered 3 × 3 grid; `region` is tinted unless empty.

    Raise InvalidRequest if it is no image or no region.
    """
    from inference.images.decoding import encode_png

    picture = _thumbnail(data, max_megapixels)
    if region:
        _tint(picture, region)
    _draw_grid(picture)
    return encode_png(picture)


def _thumbnail(data: bytes, max_megapixels: float) -> Image.Image:
    from inference.images.decoding import open_picture

    picture = open_picture(data, max_megapixels)
    picture.thumbnail((_MAX_SIDE, _MAX_SIDE))
    return picture


def _tint(picture: Image.Image, region: str) -> None:
    mask = region_mask(region, *picture.size).point(lambda value: value * _TINT_OPACITY)
    picture.paste(_TINT, mask=mask)


def _draw_grid(picture: Image.Image) -> None:
    """Draw white lines and numbers with a dark outline, which are visible on any image."""
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    line_width = max(1, min(width, height) // 200)
    for colour, stroke in (("black", 3 * line_width), ("white", line_width)):
        for line in range(1, GRID):
            x, y = width * line // GRID, height * line // GRID
            draw.line(((x, 0), (x, height)), fill=colour, width=stroke)
            draw.line(((0, y), (width, y)), fill=colour, width=stroke)
    font = ImageFont.load_default(max(8, min(width, height) // 12))
    for number in range(1, GRID**2 + 1):
        row, column = divmod(number - 1, GRID)
        middle = ((column + 0.5) * width / GRID, (row + 0.5) * height / GRID)
        draw.text(middle, str(number), "white", font, anchor="mm", stroke_width=2 * line_width, stroke_fill="black")
