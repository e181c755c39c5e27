"""Masks for inpainting, as people paint them: white on black, or strokes on a transparent layer."""

from __future__ import annotations

import math
from typing import Literal

from PIL import Image, ImageChops, ImageOps

from inference.images.decoding import opacity, open_picture

MaskReading = Literal["brightness", "painted", "erased"]
"""What a mask was read by: white is drawn anew, or what is painted, or what is erased from a picture."""

_MIN_CONTRAST = 20
"""A mask with less is of one colour. Blue on black has 29, of 255."""
_MAX_STROKE_COLOURS = 3
_COLOUR_BITS = 3
"""Bits of red, of green and of blue that tell the colours of brushes apart."""
_ONE_COLOUR = 64
"""Painted strokes differ by less than this, of 255, from one colour; a picture differs by more."""


def open_mask(data: bytes) -> tuple[Image.Image, MaskReading]:
    """Return a mask (mode L, bright where is to be drawn anew), and what it was read by.

    Where the file has transparent and opaque parts, they are the mask. Opaque strokes are to be drawn anew. If the
    opaque part is a picture, its erased part is. Black and white on a transparent layer are read as on a black one.
    Raise InvalidRequest for a file that is no picture.
    """
    alpha = opacity(data)
    picture = open_picture(data, math.inf, background=None)
    if alpha is None or not _varies(alpha):
        return _stretched(picture.convert("L")), "brightness"
    most = max(_extremes(alpha))
    painted = alpha.point([255 * (2 * value >= most) for value in range(256)])
    if _is_one_colour(picture, painted):
        return painted, "painted"
    if _is_black_and_white(picture, painted):
        return Image.composite(picture.convert("L"), Image.new("L", picture.size, 0), painted), "brightness"
    if _has_few_colours(picture, painted):
        return painted, "painted"
    return painted.point(lambda value: 255 - value), "erased"


def _extremes(band: Image.Image) -> tuple[int, int]:
    darkest, brightest = band.getextrema()
    assert isinstance(darkest, int)
    assert isinstance(brightest, int)
    return darkest, brightest


def _stretched(mask: Image.Image) -> Image.Image:
    """Return a mask that reaches from black to white: strokes of a colour on black are as bright as white ones."""
    darkest, brightest = _extremes(mask)
    if brightest - darkest < _MIN_CONTRAST:
        return mask
    return mask.point([255 * max(0, value - darkest) // (brightest - darkest) for value in range(256)])


def _varies(alpha: Image.Image) -> bool:
    """Return whether some parts are clearly more opaque than others."""
    least, most = _extremes(alpha)
    return 2 * least < most


def _is_one_colour(picture: Image.Image, painted: Image.Image) -> bool:
    """Return whether nearly all painted pixels have one colour, as strokes of a brush have, with their soft edges."""
    return all(_spread(band, painted) < _ONE_COLOUR for band in picture.split())


def _is_black_and_white(picture: Image.Image, painted: Image.Image) -> bool:
    """Return whether nearly all painted pixels are black or white."""
    red, green, blue = picture.split()
    differences = (ImageChops.difference(red, green), ImageChops.difference(green, blue))
    histogram = green.histogram(painted)
    return all(_percentile(difference.histogram(painted), 0.98) < _ONE_COLOUR for difference in differences) and sum(
        histogram[_ONE_COLOUR : 256 - _ONE_COLOUR]
    ) <= 0.05 * sum(histogram)


def _has_few_colours(picture: Image.Image, painted: Image.Image) -> bool:
    """Return whether nearly all painted pixels have one of few colours, as the strokes of some brushes have."""
    coarse = ImageOps.posterize(Image.composite(picture, Image.new("RGB", picture.size), painted), _COLOUR_BITS)
    unpainted = painted.histogram()[0]
    counts = sorted((count for count, _ in coarse.getcolors(2 ** (3 * _COLOUR_BITS)) or ()), reverse=True)
    return sum(counts[: _MAX_STROKE_COLOURS + 1]) - unpainted >= 0.98 * (sum(counts) - unpainted)


def _spread(band: Image.Image, painted: Image.Image) -> int:
    """Return how far the values of the painted pixels lie apart, without the two per cent at each end."""
    histogram = band.histogram(painted)
    return _percentile(histogram, 0.98) - _percentile(histogram, 0.02)


def _percentile(histogram: list[int], share: float) -> int:
    """Return the value below which this share of the pixels lie."""
    left = share * sum(histogram)
    for value, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return value
    return len(histogram) - 1
