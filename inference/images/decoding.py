"""Decoding of uploaded images to upright RGB, and encoding. Uses Pillow only, not torch."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from inference.types.errors import InvalidRequest

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that Discord's clients upload. Pillow knows sixty more, each with a parser that attackers could target."""

_UNSUPPORTED_FILE = "This file is not a picture that the bot can read. Send a PNG, JPEG, WebP, GIF, BMP or TIFF file."

_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, struct.error, zlib.error)
"""Errors that Pillow's decoders raise for broken files. Documented is OSError only."""

# Sizes are checked here, against the operator's limit. Pillow's own limit would only warn, or refuse much later.
Image.MAX_IMAGE_PIXELS = None


def open_picture(data: bytes, max_megapixels: float) -> Image.Image:
    """Decode an image to RGB: upright, first frame, transparency on white, deep colours scaled to 8 bits.

    Raise InvalidRequest if it is empty, of another format, damaged, or larger than `max_megapixels` (millions of
    pixels). The size is read from the header, before anything is decoded.
    """
    if not data:
        raise InvalidRequest("This file is empty. Upload the picture again.")
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except _PILLOW_ERRORS as error:
        raise InvalidRequest(_UNSUPPORTED_FILE) from error
    _check_size(image.size, max_megapixels)
    try:
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image))
    except _PILLOW_ERRORS as error:
        raise InvalidRequest("This picture is damaged or incomplete. Upload it again, or send another copy.") from error


def transparency(data: bytes) -> Image.Image | None:
    """Return a mask (mode L) that is white where the image is transparent, or None if it is not.

    The image must have been checked by `open_picture`.
    """
    image = ImageOps.exif_transpose(Image.open(BytesIO(data), formats=FORMATS))
    if not image.has_transparency_data:
        return None
    mask = image.convert("RGBA").getchannel("A").point([255] * 128 + [0] * 128)
    return mask if mask.getbbox() else None


def encode_png(image: Image.Image, parameters: str = "") -> bytes:
    """Encode an image as PNG, with `parameters` in the text chunk that other image generators use."""
    text = PngImagePlugin.PngInfo()
    if parameters:
        text.add_text("parameters", parameters)
    file = BytesIO()
    image.save(file, "PNG", pnginfo=text)
    return file.getvalue()


def parameters_in(data: bytes) -> str:
    """Return the parameters in an image file: from a PNG's text chunk, or the EXIF comment of a JPEG or WebP; else "".

    Raise InvalidRequest if the file is no image.
    """
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        text = image.info.get("parameters") if image.format == "PNG" else _comment(image)
    except _PILLOW_ERRORS as error:
        raise InvalidRequest(_UNSUPPORTED_FILE) from error
    return text if isinstance(text, str) else ""


def _comment(image: Image.Image) -> str:
    """Return the EXIF user comment: eight bytes with the encoding's name, then the text."""
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if not isinstance(comment, bytes):
        return ""
    text = comment[8:].decode("utf-16-be" if comment.startswith(b"UNICODE") else "utf-8", errors="replace")
    return text.strip("\0 ")


def _check_size(size: tuple[int, int], max_megapixels: float) -> None:
    width, height = size
    if width * height > max_megapixels * 10**6:
        raise InvalidRequest(
            "This picture has {width:,} × {height:,} pixels; {most:g} megapixels is the most that this bot takes. Send "
            "a smaller one.",
            width=width,
            height=height,
            most=max_megapixels,
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey from 0…65535 to 0…255. 32-bit and float grey have no defined range: use minimum and maximum."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    darkest, brightest = image.getextrema()
    scale = 255 / ((brightest - darkest) or 1)  # type: ignore[operator]
    return image.convert("F").point(lambda value: value * scale - darkest * scale).convert("L")  # type: ignore[operator]
