"""Regions of an image for inpainting, chosen by name or by grid cells, without an editor.

A region is a name ("left half", "background") or cells of a 3 × 3 grid, numbered row by row from 1: "cells 1 2 5". Uses
Pillow only, which is imported inside functions.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from inference.types.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

GRID = 3

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the image's width and height."""

_BOXES: dict[str, Box] = {
    "left half": (0, 0, 1 / 2, 1),
    "right half": (1 / 2, 0, 1, 1),
    "top half": (0, 0, 1, 1 / 2),
    "bottom half": (0, 1 / 2, 1, 1),
    "centre": (1 / 4, 1 / 4, 3 / 4, 3 / 4),
}
_SUBJECT: Box = (1 / 5, 1 / 10, 4 / 5, 1)
"""The usual position of an image's subject. The background is everything outside this oval."""

REGIONS = (*_BOXES, "background")
"""The named regions."""

_CELLS = re.compile(r"cells((?: [1-9])+)")


def cells_region(cells: Collection[int]) -> str:
    """Return the region of some cells, 1 to 9."""
    return "cells " + " ".join(str(cell) for cell in sorted(cells))


def cells_of(region: str) -> frozenset[int]:
    """Return the cells of a region; an empty set for a named region."""
    match = _CELLS.fullmatch(region)
    return frozenset(int(cell) for cell in match[1].split()) if match else frozenset()


def check_region(region: str) -> None:
    """Raise InvalidRequest for an unknown region."""
    if region not in REGIONS and not cells_of(region):
        raise InvalidRequest(
            "There is no region {region!r}. There are: {regions}; and cells of a 3 × 3 grid, numbered row by row, such "
            "as cells 1 2 5.",
            region=region[:40],
            regions=", ".join(REGIONS),
        )


def region_mask(region: str, width: int, height: int) -> Image.Image:
    """Return a mask (mode L) of `width` × `height`: white inside the region, black outside."""
    from PIL import Image, ImageDraw

    check_region(region)
    size = (width, height)
    if region == "background":
        mask = Image.new("L", size, 255)
        ImageDraw.Draw(mask).ellipse(_pixels(_SUBJECT, size), fill=0)
        return mask
    mask = Image.new("L", size, 0)
    for box in [_BOXES[region]] if region in _BOXES else [_cell(cell) for cell in cells_of(region)]:
        ImageDraw.Draw(mask).rectangle(_pixels(box, size), fill=255)
    return mask


def _cell(number: int) -> Box:
    row, column = divmod(number - 1, GRID)
    return column / GRID, row / GRID, (column + 1) / GRID, (row + 1) / GRID


def _pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the first and the last pixel inside, as Pillow needs them; at least one pixel, even in a tiny image."""
    width, height = size
    x, y = round(box[0] * width), round(box[1] * height)
    return x, y, max(x, round(box[2] * width) - 1), max(y, round(box[3] * height) - 1)
