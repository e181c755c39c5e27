"""Images as WebP, for places that limit the size of files. Uses Pillow only."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

_QUALITIES = (95, 90, 80, 65, 50)
_SCALE_STEP = 0.75
"""Scale factor for each side, once no quality is small enough."""

_EXIF, _USER_COMMENT = 0x8769, 0x9286


def encode_webp(data: bytes, limit: int) -> bytes | None:
    """Convert an image file to WebP with at most `limit` bytes, and keep its parameters and its XMP.

    Try lossless compression first, then lower qualities, then smaller sizes. Return None if nothing fits.
    """
    image, side_data = _opened(data)
    file = _encode(image, side_data, lossless=True)
    while len(file) > limit:
        for quality in _QUALITIES:
            file = _encode(image, side_data, quality=quality)
            if len(file) <= limit:
                return file
        if max(image.size) == 1:
            return None
        image = image.resize((max(1, int(image.width * _SCALE_STEP)), max(1, int(image.height * _SCALE_STEP))))
    return file


def encode_lossless_webp(data: bytes) -> bytes:
    """Convert an image file to WebP with exactly the same pixels, and keep its parameters and its XMP."""
    return _encode(*_opened(data), lossless=True)


def _opened(data: bytes) -> tuple[Image.Image, dict[str, Any]]:
    """Return the image, and what is stored beside its pixels: EXIF with its parameters, and XMP."""
    from PIL import Image

    image: Image.Image = Image.open(BytesIO(data))
    exif = _exif_with_comment(image, str(image.info.get("parameters", "")))
    return image, {"exif": exif, "xmp": image.info.get("xmp", b"")}


def _exif_with_comment(image: Image.Image, text: str) -> Image.Exif:
    """Return the image's EXIF with `text` as user comment, the standard for comments: WebP has no text chunks."""
    exif = image.getexif()
    if text:
        exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    return exif


def _encode(image: Image.Image, side_data: Mapping[str, Any], **options: bool | int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", **side_data, **options)
    return file.getvalue()
