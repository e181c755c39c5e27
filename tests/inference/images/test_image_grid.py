"""Sheets: nothing of a picture is lost on the way there and back."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference import crop_from_grid, image_grid
from inference.images.decoding import encode_png, parameters_in

COLOURS = ["red", "green", "blue", "white", "black", "orange", "purple", "navy", "teal", "pink"]


def picture(colour: str) -> bytes:
    """Six by four pixels, so that a mistake in the shape shows, with one that tells top left."""
    image = Image.new("RGB", (6, 4), colour)
    image.putpixel((0, 0), (1, 2, 3))
    return encode_png(image, f"{colour}\nSeed: 1")


@pytest.mark.parametrize(
    ("count", "size"), [(1, (6, 4)), (2, (12, 4)), (3, (12, 8)), (4, (12, 8)), (5, (18, 8)), (10, (24, 12))]
)
def test_every_picture_is_on_the_sheet_at_full_size_and_comes_off_it_as_it_was(count: int, size: tuple[int, int]):
    pictures = [picture(colour) for colour in COLOURS[:count]]
    sheet = image_grid(pictures)
    assert Image.open(BytesIO(sheet)).size == size
    assert [crop_from_grid(sheet, i, count, f"{COLOURS[i]}\nSeed: 1") for i in range(count)] == pictures


def test_what_is_missing_leaves_a_transparent_cell():
    sheet = image_grid([b"", picture("red"), picture("blue")])
    corners = [Image.open(BytesIO(sheet)).getpixel(place) for place in ((0, 0), (1, 5), (7, 5))]
    assert corners == [(0, 0, 0, 0), (0, 0, 255, 255), (0, 0, 0, 0)]
    assert crop_from_grid(sheet, 2, 3, "blue\nSeed: 1") == picture("blue")


def test_a_sheet_carries_no_parameters_since_it_is_not_one_picture():
    assert parameters_in(image_grid([picture("red"), picture("blue")])) == ""
