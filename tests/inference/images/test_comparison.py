"""Test the picture that shows before and after side by side."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference.images.comparison import side_by_side
from inference.images.decoding import encode_png
from inference.types.errors import InvalidRequest


def test_both_pictures_are_as_large_as_the_second() -> None:
    before, after = (
        encode_png(Image.new("RGB", size, colour)) for size, colour in (((90, 60), "blue"), ((32, 48), "red"))
    )
    both = Image.open(BytesIO(side_by_side(before, after)))
    assert both.size == (32 + 8 + 32, 48)
    assert [both.getpixel((x, 24)) for x in (16, 36, 56)] == [(0, 0, 255), (255, 255, 255), (255, 0, 0)]


def test_a_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        side_by_side(b"a text", encode_png(Image.new("RGB", (8, 8))))
