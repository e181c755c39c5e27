"""Test that float pictures show what they hold, beside values that mean that there is none."""

from __future__ import annotations

import math

import numpy
import pytest
from PIL import Image

from inference.images.decoding import open_picture
from tests.inference.images.test_decoding import encode

pytestmark = pytest.mark.filterwarnings("error")


def opened(values: list[float]) -> list[int]:
    """Return the grey tones of a float picture with these values."""
    picture = Image.fromarray(numpy.array([values], dtype=numpy.float32))
    return list(open_picture(encode(picture, "TIFF"), 50).convert("L").tobytes())


@pytest.mark.parametrize(
    ("missing", "tone"),
    [(math.inf, 255), (-math.inf, 0), (math.nan, 0), (3.4028235e38, 255), (-3.4028235e38, 0)],
)
def test_a_value_that_is_not_finite_darkens_no_other(missing: float, tone: int) -> None:
    assert opened([0.0, 0.5, 1.0, missing]) == [0, 127, 255, tone]


def test_a_picture_without_any_finite_value_is_black() -> None:
    assert opened([math.nan, math.nan]) == [0, 0]


def test_finite_values_are_scaled_as_before() -> None:
    assert opened([-1000.0, 0.0, 1000.0]) == [0, 127, 255]
