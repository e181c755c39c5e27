"""Colour profiles: the colours of a picture become sRGB, which is what models and screens without a profile take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import product

from PIL import Image, ImageChops, ImageCms

from inference.images.exif import MAX_TEXT_BYTES

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""The mode of the pixels that a profile of each colour space is made for."""
_GREY_MODES = ("1", "L", "LA", "I;16", "I;16B", "I;16L", "I;16N")
_NEAR = 3
"""A profile that changes no colour by more than this, of 255, is sRGB. Its makers round it differently."""

_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError)
"""Errors of broken profiles, and of a Pillow that was built without Little CMS."""


@dataclass(frozen=True, slots=True)
class SRGBConversion:
    """`convert` takes pixels in `mode`, to RGB."""

    mode: str
    convert: Callable[[Image.Image], Image.Image]


def srgb_conversion(profile: bytes, mode: str) -> SRGBConversion | None:
    """Return the conversion of a picture's pixels to sRGB.

    None if there is nothing to convert: without a profile, with one for sRGB, and with one that is broken, or made for
    other colours than those of a picture in `mode`.
    """
    if not profile or len(profile) > MAX_TEXT_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        made_for = _MODES.get(source.profile.xcolor_space, "")  # type: ignore[union-attr]
        if not _fits(made_for, mode):
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            made_for,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        conversion = SRGBConversion(made_for, lambda picture: _applied(transform, picture))
        return None if _changes_nothing(conversion) else conversion
    except _ERRORS:
        return None


def _applied(transform: ImageCms.ImageCmsTransform, picture: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None
    return converted


def _fits(made_for: str, mode: str) -> bool:
    """Return whether a profile for pixels in `made_for` tells of a picture in `mode`."""
    if mode in _GREY_MODES:
        return made_for in ("L", "RGB")
    if mode.startswith(("I", "F")):
        return False  # has no defined range, so no colours either
    return made_for == ("CMYK" if mode == "CMYK" else "RGB")


def _changes_nothing(conversion: SRGBConversion) -> bool:
    """Return whether the conversion leaves a sample of all colours as they are."""
    if conversion.mode == "CMYK":
        return False
    sample = _sample()
    difference = ImageChops.difference(conversion.convert(sample.convert(conversion.mode)), _as_rgb(sample, conversion))
    return max(high for _, high in difference.getextrema()) <= _NEAR  # type: ignore[misc]


def _as_rgb(sample: Image.Image, conversion: SRGBConversion) -> Image.Image:
    return sample.convert(conversion.mode).convert("RGB")


def _sample() -> Image.Image:
    """Return a picture of 729 colours: nine steps of red, of green and of blue."""
    steps = range(0, 256, 31), range(0, 256, 31), range(0, 256, 31)
    return Image.frombytes("RGB", (27, 27), bytes(value for colour in product(*steps) for value in colour))
