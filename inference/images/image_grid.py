"""A grid of several images, and lossless extraction of one of them. Pillow is imported inside functions."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def image_grid(pngs: Sequence[bytes], parameters: str = "") -> bytes:
    """Return one PNG file with equally large images at full size, row by row, and `parameters`.

    Four images make a 2×2 grid. Empty bytes leave a transparent cell; at least one must be an image. Takes up to a
    second: call it off the event loop. What the first image says of its origin is said of all.
    """
    from PIL import Image

    from inference.images.decoding import encode_png

    opened = [Image.open(BytesIO(png)) if png else None for png in pngs]
    xmp = next(_xmp(image) for image in opened if image)
    images = [image and image.convert("RGB") for image in opened]
    width, height = next(image.size for image in images if image)
    columns, rows = _shape(len(images))
    is_full = columns * rows == sum(image is not None for image in images)
    grid = Image.new("RGB" if is_full else "RGBA", (columns * width, rows * height))
    for index, image in enumerate(images):
        if image:
            row, column = divmod(index, columns)
            grid.paste(image, (column * width, row * height))
    return encode_png(grid, parameters, xmp)


def crop_from_grid(grid: bytes, index: int, count: int, parameters: str = "") -> bytes:
    """Return image `index` of `count` images in a grid, as PNG with `parameters`. Call it off the event loop.

    A grid of one is the image itself.
    """
    from PIL import Image

    from inference.images.decoding import encode_png

    image = Image.open(BytesIO(grid))
    columns, rows = _shape(count)
    width, height = image.width // columns, image.height // rows
    row, column = divmod(index, columns)
    left, top = column * width, row * height
    return encode_png(image.crop((left, top, left + width, top + height)).convert("RGB"), parameters, _xmp(image))


def _xmp(image: Image.Image) -> str:
    """Return the XMP of a PNG or WebP file."""
    xmp = image.info.get("XML:com.adobe.xmp") or image.info.get("xmp", b"")
    return xmp.decode("utf-8", errors="replace") if isinstance(xmp, bytes) else str(xmp)


def _shape(count: int) -> tuple[int, int]:
    """Return columns and rows of a grid that is nearly square and has no empty row."""
    columns = next(n for n in range(1, count + 1) if n * n >= count)
    return columns, -(-count // columns)
