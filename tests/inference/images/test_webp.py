"""Test that pictures are compressed to a maximum file size."""

from __future__ import annotations

import random
from io import BytesIO

from PIL import Image, PngImagePlugin

from inference.images.webp import encode_lossless_webp, encode_webp

PARAMETERS = "a føx, 狐\nSteps: 25, Seed: 5"


def _noise(side: int) -> bytes:
    """Return a picture of random pixels, which can hardly be compressed."""
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", PARAMETERS)
    file = BytesIO()
    pixels = random.Random(0).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), pixels).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def _encode_and_check_size(data: bytes, limit: int) -> Image.Image:
    file = encode_webp(data, limit)
    assert file is not None
    assert len(file) <= limit
    image = Image.open(BytesIO(file))
    assert image.format == "WEBP"
    return image


def test_a_picture_that_fits_is_lossless() -> None:
    data = _noise(64)
    image = _encode_and_check_size(data, 20_000)
    assert image.tobytes() == Image.open(BytesIO(data)).tobytes()


def test_lossless_webp_has_the_same_pixels_and_parameters() -> None:
    data = _noise(64)
    image = Image.open(BytesIO(encode_lossless_webp(data)))
    assert image.format == "WEBP"
    assert image.tobytes() == Image.open(BytesIO(data)).tobytes()
    assert PARAMETERS.encode("utf-16-be") in image.getexif().get_ifd(0x8769)[0x9286]


def test_the_quality_is_reduced_before_the_dimensions() -> None:
    data = _noise(64)
    image = _encode_and_check_size(data, 8000)
    assert image.size == (64, 64)
    assert image.tobytes() != Image.open(BytesIO(data)).tobytes()


def test_the_dimensions_are_reduced_if_a_lower_quality_is_not_enough() -> None:
    assert _encode_and_check_size(_noise(64), 1000).size == (36, 36)


def test_a_limit_that_no_picture_can_meet_gives_none() -> None:
    assert encode_webp(_noise(8), 10) is None


def test_the_parameters_are_kept_in_the_exif_comment() -> None:
    for limit in (20_000, 1000):
        comment = _encode_and_check_size(_noise(64), limit).getexif().get_ifd(0x8769)[0x9286]
        assert comment == b"UNICODE\0" + PARAMETERS.encode("utf-16-be")
