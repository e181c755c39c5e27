"""Pictures as WebP, for places that don't take large files. Pillow only."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_QUALITIES = (95, 90, 80, 65, 50)
_SMALLER = 0.75
"""Of each side, once no quality helps."""

_EXIF, _USER_COMMENT = 0x8769, 0x9286


def encode_webp(data: bytes, limit: int) -> bytes | None:
    """The picture file `data` as a WebP file of at most `limit` bytes, with its parameters where it has some.

    Without loss if that fits, else of falling quality, then smaller; None if nothing fits.
    """
    from PIL import Image

    image: Image.Image = Image.open(BytesIO(data))
    exif = _comment(image, str(image.info.get("parameters", "")))
    file = _encoded(image, exif, lossless=True)
    while len(file) > limit:
        for quality in _QUALITIES:
            file = _encoded(image, exif, quality=quality)
            if len(file) <= limit:
                return file
        if max(image.size) == 1:
            return None
        image = image.resize((max(1, int(image.width * _SMALLER)), max(1, int(image.height * _SMALLER))))
    return file


def _comment(image: Image.Image, text: str) -> Image.Exif:
    """The picture's EXIF with `text` as EXIF's own standard has comments (UserComment): WebP has no text chunks."""
    exif = image.getexif()
    if text:
        exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    return exif


def _encoded(image: Image.Image, exif: Image.Exif, **options: bool | int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", exif=exif, **options)
    return file.getvalue()
