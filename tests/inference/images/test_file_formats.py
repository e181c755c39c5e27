"""Test that the refusal of a file names its format, where it is one that people take for a picture."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference.images.decoding import open_picture
from inference.types.errors import InvalidRequest


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypheix\0\0\0\0", "HEIC"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a fox -->\n<svg/>", "SVG"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "MP4"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_what_to_do(start: bytes, name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"of the format {name}, .* as JPEG or PNG"):
        open_picture(start + bytes(64), 50)


def test_a_damaged_picture_of_a_format_that_is_read_is_not_called_another_format() -> None:
    with pytest.raises(InvalidRequest, match="not a picture"):
        open_picture(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", 50)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_avif_is_read(mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (64, 48), (200, 30, 40)).save(file, "AVIF")
    picture = open_picture(file.getvalue(), 50)
    assert picture.size == (64, 48)
    assert all(abs(a - b) < 8 for a, b in zip(picture.getpixel((9, 9)), (200, 30, 40), strict=True))  # type: ignore[arg-type]


def test_avif_with_damaged_pixels_or_without_a_picture_is_refused() -> None:
    file = BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(file, "AVIF")
    pixels = file.getvalue().index(b"mdat") + 8
    for data in (
        file.getvalue()[:pixels] + bytes(len(file.getvalue()) - pixels),
        file.getvalue().replace(b"av01", b"av99"),
        file.getvalue().replace(b"pitm", b"skip"),
    ):
        with pytest.raises(InvalidRequest):
            open_picture(data, 50)


@pytest.mark.parametrize("broken", [b"no such thing!", bytes(14)])
def test_broken_exif_refuses_no_avif(broken: bytes) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2020-01-01 00:00"
    file = BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 40)).save(file, "AVIF", exif=exif)
    data = file.getvalue().replace(exif.tobytes()[6:][: len(broken)], broken)
    assert data != file.getvalue()
    assert open_picture(data, 50).size == (64, 48)
