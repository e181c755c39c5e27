"""Test the preview picture with a grid, on which people choose a region."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference.images.region_overlay import region_overlay
from inference.types.errors import InvalidRequest

GREEN = (0, 128, 0)
Box = tuple[int, int, int, int]


def _picture(width: int, height: int, orientation: int = 1) -> bytes:
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (width, height), GREEN).save(file, "PNG", exif=exif)
    return file.getvalue()


def _overlay(data: bytes, region: str = "") -> Image.Image:
    return Image.open(BytesIO(region_overlay(data, region, max_megapixels=50)))


def _colour(image: Image.Image, column: float, row: float) -> object:
    """Return the colour of a point in a cell that is not on a number or a line."""
    return image.getpixel((round((column + 0.2) * image.width / 3), round((row + 0.2) * image.height / 3)))


def test_the_preview_is_scaled_down_and_keeps_its_aspect_ratio() -> None:
    assert _overlay(_picture(3000, 1500)).size == (768, 384)
    assert _overlay(_picture(300, 150)).size == (300, 150)


def test_the_preview_is_rotated_as_the_exif_orientation_says() -> None:
    assert _overlay(_picture(300, 150, orientation=6)).size == (150, 300)


def test_selected_cells_are_tinted_and_the_others_are_not() -> None:
    image = _overlay(_picture(600, 300), "cells 1 6")
    tinted = {(x, y) for x in range(3) for y in range(3) if _colour(image, x, y) != GREEN}
    assert tinted == {(0, 0), (2, 1)}


def test_a_named_region_is_tinted() -> None:
    image = _overlay(_picture(600, 300), "left half")
    assert _colour(image, 0, 2) != GREEN
    assert _colour(image, 2, 2) == GREEN


def test_every_cell_has_a_number_and_lines_separate_the_cells() -> None:
    image = _overlay(_picture(600, 300))
    plain = Image.new("RGB", image.size, GREEN)
    assert all(image.crop(cell).tobytes() != plain.crop(cell).tobytes() for cell in _inner_cells())
    assert image.getpixel((200, 20)) == (255, 255, 255)
    assert image.getpixel((20, 100)) == (255, 255, 255)


def _inner_cells() -> list[Box]:
    """Return the boxes of the cells without the grid lines."""
    return [(200 * x + 10, 100 * y + 10, 200 * x + 190, 100 * y + 90) for x in range(3) for y in range(3)]


def test_a_picture_of_one_pixel_has_a_preview() -> None:
    assert _overlay(_picture(1, 1), "cells 9").size == (1, 1)


def test_an_invalid_picture_or_region_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        region_overlay(b"a text", "", 50)
    with pytest.raises(InvalidRequest, match="no region 'cells 10'"):
        region_overlay(_picture(9, 9), "cells 10", 50)
