"""Images as WebP, for places that limit the size of files. Uses Pillow only."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

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
    from PIL import Image

    image: Image.Image = Image.open(BytesIO(data))
    exif = _exif_with_comment(image, str(image.info.get("parameters", "")))
    xmp = image.info.get("xmp", b"")
    file = _encode(image, exif, xmp, lossless=True)
    while len(file) > limit:
        for quality in _QUALITIES:
            file = _encode(image, exif, xmp, quality=quality)
            if len(file) <= limit:
                return file
        if max(image.size) == 1:
            return None
        image = image.resize((max(1, int(image.width * _SCALE_STEP)), max(1, int(image.height * _SCALE_STEP))))
    return file


def _exif_with_comment(image: Image.Image, text: str) -> Image.Exif:
    """Return the image's EXIF with `text` as user comment, the standard for comments: WebP has no text chunks."""
    exif = image.getexif()
    if text:
        exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    return exif


def _encode(image: Image.Image, exif: Image.Exif, xmp: bytes, **options: bool | int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", exif=exif, xmp=xmp, **options)
    return file.getvalue()
