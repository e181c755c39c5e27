"""Pictures that have to fit into a limit."""

from __future__ import annotations

import random
from io import BytesIO

from PIL import Image, PngImagePlugin

from inference.images.webp import encode_webp

PARAMETERS = "a føx, 狐\nSteps: 25, Seed: 5"


def _noise(side: int) -> bytes:
    """As incompressible as pictures get."""
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", PARAMETERS)
    file = BytesIO()
    pixels = random.Random(0).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), pixels).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def _within(data: bytes, limit: int) -> Image.Image:
    file = encode_webp(data, limit)
    assert file is not None
    assert len(file) <= limit
    image = Image.open(BytesIO(file))
    assert image.format == "WEBP"
    return image


def test_nothing_is_lost_if_that_fits() -> None:
    data = _noise(64)
    image = _within(data, 20_000)
    assert image.tobytes() == Image.open(BytesIO(data)).tobytes()


def test_quality_goes_before_size() -> None:
    data = _noise(64)
    image = _within(data, 8000)
    assert image.size == (64, 64)
    assert image.tobytes() != Image.open(BytesIO(data)).tobytes()


def test_then_the_picture_gets_smaller() -> None:
    assert _within(_noise(64), 1000).size == (36, 36)


def test_what_fits_nowhere_is_given_up() -> None:
    assert encode_webp(_noise(8), 10) is None


def test_the_parameters_come_along() -> None:
    for limit in (20_000, 1000):
        comment = _within(_noise(64), limit).getexif().get_ifd(0x8769)[0x9286]
        assert comment == b"UNICODE\0" + PARAMETERS.encode("utf-16-be")
