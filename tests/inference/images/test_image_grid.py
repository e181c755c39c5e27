"""Test that pictures can be put in a grid and cropped from it without loss."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference import crop_from_grid, image_grid
from inference.images.decoding import encode_png, side_data

COLOURS = ["red", "green", "blue", "white", "black", "orange", "purple", "navy", "teal", "pink"]


def picture(colour: str) -> bytes:
    """Return a picture that is not square and has a marked top left pixel, so that a wrong crop is noticed."""
    image = Image.new("RGB", (6, 4), colour)
    image.putpixel((0, 0), (1, 2, 3))
    return encode_png(image, f"{colour}\nSeed: 1")


@pytest.mark.parametrize(
    ("count", "size"), [(1, (6, 4)), (2, (12, 4)), (3, (12, 8)), (4, (12, 8)), (5, (18, 8)), (10, (24, 12))]
)
def test_every_picture_cropped_from_a_grid_equals_the_original(count: int, size: tuple[int, int]):
    pictures = [picture(colour) for colour in COLOURS[:count]]
    grid = image_grid(pictures)
    assert Image.open(BytesIO(grid)).size == size
    assert [crop_from_grid(grid, i, count, f"{COLOURS[i]}\nSeed: 1") for i in range(count)] == pictures


def test_a_missing_picture_leaves_a_transparent_cell():
    grid = image_grid([b"", picture("red"), picture("blue")])
    corners = [Image.open(BytesIO(grid)).getpixel(place) for place in ((0, 0), (1, 5), (7, 5))]
    assert corners == [(0, 0, 0, 0), (0, 0, 255, 255), (0, 0, 0, 0)]
    assert crop_from_grid(grid, 2, 3, "blue\nSeed: 1") == picture("blue")


def test_a_grid_has_no_parameters():
    assert side_data(image_grid([picture("red"), picture("blue")])).texts == {}
