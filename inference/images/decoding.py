"""Decoding of uploaded images to upright RGB, and encoding. Uses Pillow only, not torch."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from itertools import product
from math import ceil

from PIL import Image, PngImagePlugin

from inference.images.byte_semaphore import ByteSemaphore
from inference.images.color_profile import srgb_conversion
from inference.images.file_formats import unsupported_file
from inference.images.rgb_conversion import Converter, converter, strips
from inference.images.side_data import PictureFile, take_apart, without_avif_exif
from inference.types.errors import InvalidRequest

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
"""Formats that Discord's clients upload. Pillow knows sixty more, each with a parser that attackers could target."""

_PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, RuntimeError, struct.error),
    zlib.error,
)
"""Errors that Pillow's decoders raise for broken files. Documented is OSError only."""

MAX_EDGE = 4096
"""The longest edge in pixels that anything here uses: models that read pictures in tiles take about as much."""

_memory = ByteSemaphore(512 * 2**20)
"""The memory of all pictures that are being decoded at one time."""
_BYTES_PER_PIXEL = {"JPEG": 10, "WEBP": 16, "AVIF": 16}
"""The memory that decoding takes. Progressive JPEG holds all coefficients, and WebP and AVIF several copies; others
have 4."""
_CHECK_EDGE = 1024
"""The edge in pixels that a picture is decoded at when only its errors matter."""
_PART_EDGE = 1024
"""Pictures are converted in parts of about this width and height in pixels."""
_FILTER_RADIUS = 4
"""Pixels around a part that scaling it down by one looks at: 3 for Lanczos, and one for rounding."""
_JPEG_END = b"\xff\xd9"
_FILLING = 64
"""Bytes that are enough to change pixels, if the decoder takes them for some."""
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture of each orientation becomes upright."""

_Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

# Sizes are checked here, against the operator's limit. Pillow's own limit would only warn, or refuse much later.
Image.MAX_IMAGE_PIXELS = None
# The C library gives blocks of this size back to the system at once. It keeps Pillow's usual 16 MB for later use.
Image.core.set_block_size(64 * 2**20)


def open_picture(
    data: bytes, max_megapixels: float, max_edge: int = MAX_EDGE, background: str | None = "white"
) -> Image.Image:
    """Decode an image to RGB: upright, first frame, sRGB, transparency on white, deep colours scaled to 8 bits.

    One with a longer edge than `max_edge` is scaled down to it. Without a `background`, transparent pixels keep the
    colours that the file gives them. Raise InvalidRequest if it is empty, of another format, damaged, or larger than
    `max_megapixels` (millions of pixels). The size is read from the header, before anything is decoded.
    """
    if not data:
        raise InvalidRequest("This file is empty. Upload the picture again.")
    image, file = _opened(data)
    _check_size(image.size, max_megapixels)
    try:
        if file.lacks_end:
            _check_completeness(file)
        with _decoded(image, max_edge) as size:
            conversion = srgb_conversion(file.profile, image.mode)
            convert = converter(image, conversion.mode if conversion else "RGB", background)
            finish = conversion.convert if conversion else None
            return upright(_convert(image, "RGB", size, convert, finish), file.orientation)
    except _PILLOW_ERRORS as error:
        raise InvalidRequest("This picture is damaged or incomplete. Upload it again, or send another copy.") from error


def check_picture(data: bytes, max_megapixels: float) -> None:
    """Raise InvalidRequest if `open_picture` would. This takes less memory."""
    open_picture(data, max_megapixels, _CHECK_EDGE)


def opacity(data: bytes, max_edge: int = MAX_EDGE) -> Image.Image | None:
    """Return how opaque each pixel is (mode L), or None if the format of the image knows no transparency.

    It has the size that `open_picture` gives the image, which must have checked it. Raise InvalidRequest if it is of
    another format.
    """
    image, file = _opened(data)
    with _decoded(image, max_edge) as size:
        if not image.has_transparency_data:
            return None
        alpha = _convert(image, "L", size, lambda part: part.convert("RGBA").getchannel("A"))
    return upright(alpha, file.orientation)


def transparency(data: bytes, max_edge: int = MAX_EDGE) -> Image.Image | None:
    """Return a mask (mode L) that is white where the image is transparent, or None if it is not.

    It has the size that `open_picture` gives the image, which must have checked it.
    """
    alpha = opacity(data, max_edge)
    if alpha is None:
        return None
    mask = alpha.point([255] * 128 + [0] * 128)
    return mask if mask.getbbox() else None


def is_animated(data: bytes) -> bool:
    """Return whether an image file has several frames. Raise InvalidRequest if it is no image."""
    image, _ = _opened(data)
    with closing(image), suppress(*_PILLOW_ERRORS):
        return bool(getattr(image, "is_animated", False))
    return False


def encode_png(image: Image.Image, parameters: str = "", xmp: str = "") -> bytes:
    """Encode an image as PNG, with `parameters` in the text chunk that other image generators use, and with `xmp`."""
    text = PngImagePlugin.PngInfo()
    if parameters.isascii():
        text.add_text("parameters", parameters)
    elif parameters:
        text.add_itxt("parameters", parameters)  # always UTF-8, while programs differ about the other chunk
    if xmp:
        text.add_itxt("XML:com.adobe.xmp", xmp)
    file = BytesIO()
    image.save(file, "PNG", pnginfo=text)
    return file.getvalue()


def side_data(data: bytes) -> PictureFile:
    """Return what an image file holds beside its pixels. Raise InvalidRequest if the file is no image."""
    return _opened(data)[1]


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Return `picture` turned as its file's orientation, 1 to 8, says."""
    method = _TRANSPOSITIONS.get(orientation)
    return picture if method is None else picture.transpose(method)


def _opened(data: bytes) -> tuple[Image.Image, PictureFile]:
    """Open an image, of which only the header is read. Raise InvalidRequest if it is none."""
    file = take_apart(data)
    for each in (file, without_avif_exif(file)):
        with suppress(*_PILLOW_ERRORS):
            image = Image.open(BytesIO(each.pixels), formats=FORMATS)
            return image, each.completed(image.info)
    raise unsupported_file(data)


def _check_completeness(file: PictureFile) -> None:
    """Raise OSError if pixels are missing from a JPEG file that has no end.

    The decoder draws grey for what is missing, and does not tell. But if pixels are missing, it takes them from bytes
    that are put between the data and the end; and if none are, it skips those bytes.
    """
    filled = file.pixels.removesuffix(_JPEG_END) + bytes([0x55]) * _FILLING + _JPEG_END
    if _fingerprint(file.pixels) != _fingerprint(filled):
        raise OSError("the file ends before its last pixel")


def _fingerprint(data: bytes) -> int:
    image = Image.open(BytesIO(data), formats=FORMATS)
    with _decoded(image, max(image.size)):
        checksum = 0
        for strip in strips(image):
            checksum = zlib.crc32(strip.tobytes(), checksum)
        return checksum


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


def _convert(
    image: Image.Image, mode: str, size: tuple[int, int], convert: Converter, finish: Converter | None = None
) -> Image.Image:
    """Return the image in `mode` and `size`. `convert` gets one part after another, so little is in memory twice.

    `finish` gets each part once it is scaled, so it never sees more pixels than there are in the end.
    """
    result = Image.new(mode, size)
    scale_x, scale_y = image.width / size[0], image.height / size[1]
    width, height = (max(1, int(_PART_EDGE / scale)) for scale in (scale_x, scale_y))
    for left, top in product(range(0, size[0], width), range(0, size[1], height)):
        right, bottom = min(left + width, size[0]), min(top + height, size[1])
        box = (left * scale_x, top * scale_y, right * scale_x, bottom * scale_y)
        part, box = _cut(image, box, 0 if size == image.size else _FILTER_RADIUS * max(scale_x, scale_y))
        scaled = convert(part).resize((right - left, bottom - top), Image.Resampling.LANCZOS, box)
        result.paste(finish(scaled) if finish else scaled, (left, top))
    return result


def _cut(image: Image.Image, box: _Box, margin: float) -> tuple[Image.Image, _Box]:
    """Return the pixels of `box` with a margin, as far as there are any, and the box inside of them."""
    left, top = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
    right, bottom = min(image.width, ceil(box[2] + margin)), min(image.height, ceil(box[3] + margin))
    inside = (box[0] - left, box[1] - top, min(box[2], right) - left, min(box[3], bottom) - top)
    return image.crop((left, top, right, bottom)), inside
