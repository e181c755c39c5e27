"""Conversion of decoded pixels to RGB, in parts that need little memory at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from PIL import Image

_STRIP_PIXELS = 2**20
"""The most pixels of a strip, unless one row has more."""
_LARGEST_FLOAT = 1e38
"""Values of float pictures from here on mean "no value"; programs write infinities, or the largest number there is."""

Converter = Callable[[Image.Image], Image.Image]


def strips(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the whole image in strips, from top to bottom."""
    height = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, height):
        yield image.crop((0, top, image.width, min(top + height, image.height)))


def converter(image: Image.Image, mode: str, background: str | None) -> Converter:
    """Return the function that converts parts of `image` to `mode`: to RGB, or to what its colour profile is for."""
    if mode == "CMYK":
        return lambda part: part
    to_rgb = _rgb_converter(image, background)
    return to_rgb if mode == "RGB" else lambda part: to_rgb(part).convert(mode)


def _rgb_converter(image: Image.Image, background: str | None) -> Converter:
    """Return the function that converts parts of `image` to RGB."""
    if image.mode.startswith("I;16"):
        return lambda part: part.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L").convert("RGB")
    if image.mode == "F":
        return _float_converter(image)
    if image.mode.startswith("I"):
        return _range_converter(*image.getextrema())  # type: ignore[arg-type]
    if not image.has_transparency_data:
        return lambda part: part.convert("RGB")
    return partial(_on_background, background=background) if background else _without_alpha


def _range_converter(darkest: float, brightest: float) -> Converter:
    """Return a function that scales grey to 8 bits. 32-bit and float grey have no defined range."""
    scale = 255 / ((brightest - darkest) or 1)
    return lambda part: (
        part.convert("F").point(lambda value: value * scale - darkest * scale).convert("L").convert("RGB")
    )


def _float_converter(image: Image.Image) -> Converter:
    """Return a function that scales grey to 8 bits by its finite values; others are as dark or bright as can be."""
    import numpy

    darkest, brightest, is_finite = math.inf, -math.inf, True
    for strip in strips(image):
        part = numpy.asarray(strip)
        usable = part[numpy.abs(part) < _LARGEST_FLOAT]  # comparisons with NaN are false
        is_finite = is_finite and usable.size == part.size
        if usable.size:
            darkest, brightest = min(darkest, float(usable.min())), max(brightest, float(usable.max()))
    if darkest > brightest:
        darkest = brightest = 0.0
    scale_part = _range_converter(darkest, brightest)
    if is_finite:
        return scale_part

    def scale_finite(part: Image.Image) -> Image.Image:
        values = numpy.nan_to_num(numpy.asarray(part), nan=darkest, posinf=brightest, neginf=darkest)
        return scale_part(Image.fromarray(values.clip(darkest, brightest)))

    return scale_finite


def _on_background(part: Image.Image, background: str) -> Image.Image:
    rgba = part.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, background), rgba).convert("RGB")


def _without_alpha(part: Image.Image) -> Image.Image:
    return part.convert("RGBA").convert("RGB")
