"""Several pictures as one, side by side, and one of them cut out again without a loss. Pillow only, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from inference.images.decoding import encode_png


def image_grid(pngs: Sequence[bytes], parameters: str = "") -> bytes:
    """One PNG file of equally large pictures at full size, row by row; empty bytes leave their cell transparent.

    Four make 2×2; the file carries `parameters`. At least one of them must be a picture. Takes a second where they are
    large: call it off the loop.
    """
    images = [Image.open(BytesIO(png)).convert("RGB") if png else None for png in pngs]
    width, height = next(image.size for image in images if image)
    columns, rows = _shape(len(images))
    full = columns * rows == sum(image is not None for image in images)
    sheet = Image.new("RGB" if full else "RGBA", (columns * width, rows * height))
    for index, image in enumerate(images):
        if image:
            row, column = divmod(index, columns)
            sheet.paste(image, (column * width, row * height))
    return encode_png(sheet, parameters)


def crop_from_grid(sheet: bytes, index: int, count: int, parameters: str = "") -> bytes:
    """Picture `index` of the `count` on a sheet, as a PNG file that carries `parameters`. Call it off the loop.

    A sheet of one is the picture itself.
    """
    image = Image.open(BytesIO(sheet))
    columns, rows = _shape(count)
    width, height = image.width // columns, image.height // rows
    row, column = divmod(index, columns)
    left, top = column * width, row * height
    return encode_png(image.crop((left, top, left + width, top + height)).convert("RGB"), parameters)


def _shape(count: int) -> tuple[int, int]:
    """As square as can be, and no row left empty: columns and rows."""
    columns = next(number for number in range(1, count + 1) if number * number >= count)
    return columns, -(-count // columns)
