"""Test that the colours of a picture with a profile become those of sRGB."""

from __future__ import annotations

import struct
from itertools import product

import pytest
from PIL import Image, ImageCms

from inference.images import decoding
from inference.images.decoding import MAX_EDGE, encode_png, open_picture
from tests.inference.images.test_decoding import encode, near
from tests.inference.images.test_side_data import chunk

pytestmark = pytest.mark.filterwarnings("error")

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

D50 = (0.9642, 1.0, 0.8249)
SRGB_PRIMARIES = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3_PRIMARIES = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr", connection: bytes = b"XYZ ") -> bytes:
    """Return a small profile (ICC.1:2010)."""
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79), **tags}
    tags |= {b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50)}
    start, table, body = 132 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        value = value.ljust(-(-len(value) // 4) * 4, b"\0")
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x02100000, kind, space, connection) + bytes(12) + b"acsp"
    header = header.ljust(68, b"\0") + _fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def rgb_profile(
    primaries: tuple[tuple[float, float, float], ...] = SRGB_PRIMARIES, gamma: float = 2.2, curve: bytes = b""
) -> bytes:
    curve = curve or b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    matrix = {
        name: b"XYZ " + bytes(4) + _fixed(*values)
        for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    return _profile(b"RGB ", matrix | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def coarse_srgb() -> bytes:
    """Return a profile for sRGB whose curve is rounded to few points, as the small profiles of the web have it."""
    points = [step / 15 for step in range(16)]
    values = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in points]
    curve = b"curv" + bytes(4) + struct.pack(">I16H", 16, *(round(65535 * value) for value in values))
    return rgb_profile(curve=curve)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", {b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))})


def colourless_ink() -> bytes:
    """Return a profile for a printer whose four inks are grey: the table says how light each mixture is."""
    mixtures = product((0, 1), repeat=4)
    table = b"".join(bytes([0 if k else 255 * (3 - c - m - y) // 3, 128, 128]) for c, m, y, k in mixtures)
    header = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    straight = bytes(range(256))
    lut = header + 4 * straight + table + 3 * straight
    return _profile(b"CMYK", {b"A2B0": lut, b"A2B1": lut}, b"prtr", b"Lab ")


EXCHANGED = rgb_profile((SRGB_PRIMARIES[2], SRGB_PRIMARIES[1], SRGB_PRIMARIES[0]))
"""A profile that exchanges red and blue."""
LINEAR = rgb_profile(gamma=1.0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_the_profile_of_each_format_is_used(kind: str) -> None:
    picture = open_picture(encode(Image.new("RGB", (16, 16), (200, 30, 40)), kind, icc_profile=EXCHANGED), 50)
    assert near(picture.getpixel((5, 5)), (40, 30, 200), by=8)


def test_a_photo_in_display_p3_gets_the_colours_that_it_had() -> None:
    file = encode(Image.new("RGB", (8, 8), (200, 120, 100)), icc_profile=rgb_profile(P3_PRIMARIES))
    assert near(open_picture(file, 50).getpixel((4, 4)), (212, 117, 96), by=4)


@pytest.mark.parametrize(
    ("colours", "expected"), [(bytes([12, 13, 0, 1]), (212, 117, 96)), (bytes([1, 13, 0, 1]), (200, 120, 100))]
)
def test_a_png_that_names_display_p3_without_a_profile_is_converted(
    colours: bytes, expected: tuple[int, int, int]
) -> None:
    file = encode(Image.new("RGB", (8, 8), (200, 120, 100)))
    place = file.index(b"IDAT") - 4
    file = file[:place] + chunk(b"cICP", colours) + file[place:]
    assert near(open_picture(file, 50).getpixel((4, 4)), expected, by=4)


@pytest.mark.parametrize(
    ("index", "profile", "expected"),
    [(b"R03\0", b"", (233, 24, 35)), (b"R98\0", b"", (200, 30, 40)), (b"R03\0", SRGB, (200, 30, 40))],
)
def test_a_photo_that_a_camera_calls_adobe_rgb_is_converted(
    index: bytes, profile: bytes, expected: tuple[int, int, int]
) -> None:
    """Cameras bring no profile: they name the colours in a directory of their EXIF."""
    directories = [(0x8769, 4, 1, 26), (0xA005, 4, 1, 44), (1, 2, 4, int.from_bytes(index, "little"))]
    exif = b"Exif\0\0II*\0\x08\0\0\0" + b"".join(struct.pack("<HHHIII", 1, *entry, 0) for entry in directories)
    file = encode(Image.new("RGB", (8, 8), (200, 30, 40)), "JPEG", quality=98, exif=exif, icc_profile=profile)
    assert near(open_picture(file, 50).getpixel((4, 4)), expected, by=4)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16"])
def test_a_profile_is_used_for_each_mode(mode: str) -> None:
    grey, deep = Image.new("RGB", (8, 8), (128, 128, 128)), Image.new("I;16", (8, 8), 128 * 257)
    picture = deep if mode == "I;16" else grey.quantize(2) if mode == "P" else grey.convert(mode)
    assert near(open_picture(encode(picture, icc_profile=LINEAR), 50).getpixel((4, 4)), (188, 188, 188), by=2)


def test_grey_with_a_profile_for_grey_is_converted() -> None:
    for mode in ("L", "LA"):
        file = encode(Image.new("L", (8, 8), 128).convert(mode), icc_profile=grey_profile(1.0))
        assert near(open_picture(file, 50).getpixel((4, 4)), (188, 188, 188), by=2)


def test_transparent_parts_are_white_whatever_the_profile() -> None:
    picture = Image.new("RGBA", (8, 8), (200, 30, 40, 0))
    picture.paste((200, 30, 40, 255), (0, 0, 4, 8))
    result = open_picture(encode(picture, icc_profile=EXCHANGED), 50)
    assert near(result.getpixel((1, 1)), (40, 30, 200), by=8)
    assert result.getpixel((6, 6)) == (255, 255, 255)


@pytest.mark.parametrize(
    "profile",
    [
        None,
        SRGB,
        coarse_srgb(),
        b"",
        b"no profile",
        LINEAR[:200],
        LINEAR[:60] + b"\xff" * 80,
        LINEAR + bytes(5 * 2**20),
    ],
    ids=["none", "sRGB", "coarse", "empty", "text", "cut", "damaged", "large"],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_without_a_profile_that_changes_something_every_bit_stays(kind: str, profile: bytes | None) -> None:
    picture = Image.effect_noise((40, 30), 90).convert("RGB")
    plain = encode(picture, kind, quality=95)
    with_profile = encode(picture, kind, quality=95, icc_profile=profile) if profile else plain
    assert open_picture(with_profile, 50) == open_picture(plain, 50)


@pytest.mark.parametrize(("mode", "profile"), [("RGB", grey_profile(1.0)), ("CMYK", LINEAR)])
def test_a_profile_for_other_colours_is_ignored(mode: str, profile: bytes) -> None:
    picture = Image.new(mode, (8, 8), 77)
    assert open_picture(encode(picture, "TIFF", icc_profile=profile), 50) == open_picture(encode(picture, "TIFF"), 50)


def test_a_large_picture_is_converted_once_it_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels: list[int] = []
    conversion = decoding.srgb_conversion(EXCHANGED, "RGB")
    assert conversion

    def convert(part: Image.Image) -> Image.Image:
        pixels.append(part.width * part.height)
        return conversion.convert(part)

    monkeypatch.setattr(decoding, "srgb_conversion", lambda *_: type(conversion)(conversion.mode, convert))
    picture = open_picture(encode(Image.new("RGB", (2 * MAX_EDGE, 900), (200, 30, 40)), icc_profile=EXCHANGED), 50)
    assert near(picture.getpixel((2000, 20)), (40, 30, 200), by=8)
    assert sum(pixels) == picture.width * picture.height


def test_a_converted_picture_is_written_without_its_profile() -> None:
    picture = open_picture(encode(Image.new("RGB", (8, 8), (200, 30, 40)), icc_profile=EXCHANGED), 50)
    assert open_picture(encode_png(picture), 50) == picture


def test_a_picture_in_cmyk_is_converted_by_its_profile() -> None:
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert near(open_picture(encode(picture, "TIFF"), 50).getpixel((4, 4)), (255, 0, 0))
    for kind in ("TIFF", "JPEG"):
        result = open_picture(encode(picture, kind, icc_profile=colourless_ink()), 50).getpixel((4, 4))
        assert near(result, (78, 78, 78), by=12)
