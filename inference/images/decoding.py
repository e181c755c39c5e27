"""Decoding of uploaded images to upright RGB, and encoding. Uses Pillow only, not torch."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from io import BytesIO
from itertools import product
from math import ceil

from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from inference.images.byte_semaphore import ByteSemaphore
from inference.types.errors import InvalidRequest

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that Discord's clients upload. Pillow knows sixty more, each with a parser that attackers could target."""

_UNSUPPORTED_FILE = "This file is not a picture that the bot can read. Send a PNG, JPEG, WebP, GIF, BMP or TIFF file."

_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, struct.error, zlib.error)
"""Errors that Pillow's decoders raise for broken files. Documented is OSError only."""

MAX_EDGE = 4096
"""The longest edge in pixels that anything here uses: models that read pictures in tiles take about as much."""

_memory = ByteSemaphore(512 * 2**20)
"""The memory of all pictures that are being decoded at one time."""
_BYTES_PER_PIXEL = {"JPEG": 10, "WEBP": 16}
"""The memory that decoding takes. Progressive JPEG holds all coefficients, and WebP several copies; others have 4."""
_CHECK_EDGE = 1024
"""The edge in pixels that a picture is decoded at when only its errors matter."""
_PART_EDGE = 1024
"""Pictures are converted in parts of about this width and height in pixels."""
_FILTER_RADIUS = 4
"""Pixels around a part that scaling it down by one looks at: 3 for Lanczos, and one for rounding."""

_Converter = Callable[[Image.Image], Image.Image]
_Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

# Sizes are checked here, against the operator's limit. Pillow's own limit would only warn, or refuse much later.
Image.MAX_IMAGE_PIXELS = None
# The C library gives blocks of this size back to the system at once. It keeps Pillow's usual 16 MB for later use.
Image.core.set_block_size(64 * 2**20)


def open_picture(data: bytes, max_megapixels: float, max_edge: int = MAX_EDGE) -> Image.Image:
    """Decode an image to RGB: upright, first frame, transparency on white, deep colours scaled to 8 bits.

    One with a longer edge than `max_edge` is scaled down to it. Raise InvalidRequest if it is empty, of another format,
    damaged, or larger than `max_megapixels` (millions of pixels). The size is read from the header, before anything is
    decoded.
    """
    if not data:
        raise InvalidRequest("This file is empty. Upload the picture again.")
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except _PILLOW_ERRORS as error:
        raise InvalidRequest(_UNSUPPORTED_FILE) from error
    _check_size(image.size, max_megapixels)
    try:
        with _decoded(image, max_edge) as size:
            return _upright(_convert(image, "RGB", size, _rgb_converter(image)), image)
    except _PILLOW_ERRORS as error:
        raise InvalidRequest("This picture is damaged or incomplete. Upload it again, or send another copy.") from error


def check_picture(data: bytes, max_megapixels: float) -> None:
    """Raise InvalidRequest if `open_picture` would. This takes less memory."""
    open_picture(data, max_megapixels, _CHECK_EDGE)


def transparency(data: bytes, max_edge: int = MAX_EDGE) -> Image.Image | None:
    """Return a mask (mode L) that is white where the image is transparent, or None if it is not.

    It has the size that `open_picture` gives the image, which must have checked it.
    """
    image = Image.open(BytesIO(data), formats=FORMATS)
    with _decoded(image, max_edge) as size:
        if not image.has_transparency_data:
            return None
        alpha = _upright(_convert(image, "L", size, lambda part: part.convert("RGBA").getchannel("A")), image)
    mask = alpha.point([255] * 128 + [0] * 128)
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


@contextmanager
def _decoded(image: Image.Image, max_edge: int) -> Generator[tuple[int, int]]:
    """Decode `image` when there is memory for it, and release it at the end. Yield the size that it is needed at."""
    scale = min(1.0, max_edge / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    nbytes = _BYTES_PER_PIXEL.get(image.format or "", 4) * image.width * image.height + 4 * width * height
    with _memory.acquired(nbytes), closing(image):
        image.draft(None, (width, height))  # JPEG: decodes an eighth, a quarter or half of each side
        image.load()
        yield width, height


def _convert(image: Image.Image, mode: str, size: tuple[int, int], convert: _Converter) -> Image.Image:
    """Return the image in `mode` and `size`. `convert` gets one part after another, so little is in memory twice."""
    result = Image.new(mode, size)
    result.info["icc_profile"] = image.info.get("icc_profile")
    scale_x, scale_y = image.width / size[0], image.height / size[1]
    width, height = (max(1, int(_PART_EDGE / scale)) for scale in (scale_x, scale_y))
    for left, top in product(range(0, size[0], width), range(0, size[1], height)):
        right, bottom = min(left + width, size[0]), min(top + height, size[1])
        box = (left * scale_x, top * scale_y, right * scale_x, bottom * scale_y)
        part, box = _cut(image, box, 0 if size == image.size else _FILTER_RADIUS * max(scale_x, scale_y))
        scaled = convert(part).resize((right - left, bottom - top), Image.Resampling.LANCZOS, box)
        result.paste(scaled, (left, top))
    return result


def _cut(image: Image.Image, box: _Box, margin: float) -> tuple[Image.Image, _Box]:
    """Return the pixels of `box` with a margin, as far as there are any, and the box inside of them."""
    left, top = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
    right, bottom = min(image.width, ceil(box[2] + margin)), min(image.height, ceil(box[3] + margin))
    inside = (box[0] - left, box[1] - top, min(box[2], right) - left, min(box[3], bottom) - top)
    return image.crop((left, top, right, bottom)), inside


def _upright(picture: Image.Image, source: Image.Image) -> Image.Image:
    """Turn `picture` as the file that it was decoded from says."""
    picture.getexif()[ExifTags.Base.Orientation] = source.getexif().get(ExifTags.Base.Orientation, 1)
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _rgb_converter(image: Image.Image) -> _Converter:
    """Return the function that converts parts of `image`."""
    if image.mode.startswith("I;16"):
        return lambda part: part.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L").convert("RGB")
    if image.mode.startswith(("I", "F")):
        return _range_converter(*image.getextrema())  # type: ignore[arg-type]
    return _on_white if image.has_transparency_data else lambda part: part.convert("RGB")


def _range_converter(darkest: float, brightest: float) -> _Converter:
    """Return a function that scales grey to 8 bits. 32-bit and float grey have no defined range."""
    scale = 255 / ((brightest - darkest) or 1)
    return lambda part: (
        part.convert("F").point(lambda value: value * scale - darkest * scale).convert("L").convert("RGB")
    )


def _on_white(part: Image.Image) -> Image.Image:
    rgba = part.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
