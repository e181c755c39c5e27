"""Test that every uploaded file becomes an upright RGB image or an error message."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from inference.images.decoding import MAX_EDGE, check_picture, encode_png, open_picture, transparency
from inference.types.errors import InvalidRequest

pytestmark = pytest.mark.filterwarnings("error")

WHITE = (255, 255, 255)
RED = (255, 0, 0)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def decode(data: bytes, max_megapixels: float = 50) -> Image.Image:
    image = open_picture(data, max_megapixels)
    assert image.mode == "RGB"
    return image


def refusal(data: bytes, max_megapixels: float = 50) -> str:
    with pytest.raises(InvalidRequest) as caught:
        open_picture(data, max_megapixels)
    return caught.value.user_message


def png_file(width: int, height: int, colour_type: int = 2, pixels: bytes = b"") -> bytes:
    """Return a PNG file whose header declares a size, with almost no pixel data unless given (compressed)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    data = pixels or zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def near(pixel: object, wanted: tuple[int, int, int], by: int = 3) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_each_common_format_opens(kind: str) -> None:
    image = decode(encode(Image.new("RGB", (20, 10), RED), kind))
    assert image.size == (20, 10)
    assert near(image.getpixel((5, 5)), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_rotated_as_its_exif_orientation_says(kind: str) -> None:
    sideways = Image.new("RGB", (32, 16), RED)
    sideways.paste((0, 0, 255), (0, 0, 16, 16))  # blue left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by 90° clockwise
    image = decode(encode(sideways, kind, exif=exif))
    assert image.size == (16, 32)
    assert near(image.getpixel((8, 4)), (0, 0, 255), by=8)  # blue on top


def test_a_picture_with_unreadable_exif_data_is_decoded() -> None:
    file = encode(Image.new("RGB", (8, 8), RED), "JPEG", exif=b"Exif\0\0no such thing")
    assert near(decode(file).getpixel((4, 4)), RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_decoded_to_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    file = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    assert near(decode(file).getpixel((8, 8)), RED)


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    image = decode(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    assert near(image.getpixel((8, 8)), RED, by=6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    deep = Image.new("I;16", (3, 1))
    for x, value in enumerate((0, 32768, 65535)):
        deep.putpixel((x, 0), value)
    image = decode(encode(deep, kind))
    assert [image.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (128, 128, 128), WHITE]


@pytest.mark.parametrize(("mode", "values"), [("F", (0.0, 0.5, 1.0)), ("I", (-1000, 0, 1000)), ("F", (7.0, 7.0, 7.0))])
def test_grey_without_a_standard_range_is_scaled_to_eight_bits(mode: str, values: tuple[float, ...]) -> None:
    deep = Image.new(mode, (3, 1))
    for x, value in enumerate(values):
        deep.putpixel((x, 0), value)
    image = decode(encode(deep, "TIFF"))
    flat = len(set(values)) == 1
    assert [image.getpixel((x, 0)) for x in range(3)] == [(v, v, v) for v in ((0, 0, 0) if flat else (0, 127, 255))]


def test_transparent_palette_colours_become_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    result = decode(encode(image, "PNG", transparency=1))
    assert [result.getpixel((x, 0)) for x in range(2)] == [RED, WHITE]


@pytest.mark.parametrize(("mode", "half"), [("RGBA", (0, 0, 0, 128)), ("LA", (0, 128))])
def test_half_transparent_black_becomes_grey(mode: str, half: tuple[int, ...]) -> None:
    image = decode(encode(Image.new(mode, (4, 4), half)))
    assert near(image.getpixel((1, 1)), (127, 127, 127), by=1)


def test_a_transparent_colour_of_an_rgb_picture_becomes_white() -> None:
    assert decode(encode(Image.new("RGB", (4, 4), RED), "PNG", transparency=RED)).getpixel((1, 1)) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_a_truncated_file_is_reported_as_damaged(kind: str) -> None:
    file = encode(Image.effect_noise((64, 64), 90).convert("RGB"), kind)
    message = refusal(file[: len(file) * 2 // 3])
    assert "damaged or incomplete" in message or "not a picture" in message


def test_a_picture_truncated_after_its_header_is_reported_as_damaged() -> None:
    file = encode(Image.effect_noise((64, 64), 90).convert("RGB"), "PNG")
    assert "damaged or incomplete" in refusal(file[:200])


def test_a_text_file_is_refused_as_not_a_picture() -> None:
    assert "not a picture" in refusal(b"Dear bot,\nplease caption this.\n")


def test_an_empty_file_is_reported_as_empty() -> None:
    assert "empty" in refusal(b"")


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PDF", "TGA"])
def test_other_formats_are_refused_with_a_list_of_supported_formats(kind: str) -> None:
    message = refusal(encode(Image.new("RGB", (16, 16)), kind))
    assert "PNG, JPEG, WebP" in message


def test_a_huge_picture_is_refused_before_its_pixels_are_decoded() -> None:
    tracemalloc.start()
    message = refusal(png_file(20_000, 20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "20,000 × 20,000" in message
    assert "50 megapixels" in message
    assert peak < 5 * 10**6


def test_a_huge_gif_frame_is_refused_even_if_the_gif_screen_is_small() -> None:
    screen = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x4c\x01\0;"
    assert "60,000 × 60,000" in refusal(screen + frame)


def test_the_operator_sets_the_megapixel_limit() -> None:
    file = encode(Image.new("RGB", (100, 100)))
    assert decode(file, max_megapixels=0.01).size == (100, 100)
    assert "0.009 megapixels" in refusal(file, max_megapixels=0.009)


def test_a_limit_above_pillows_own_limit_works_without_a_warning() -> None:
    """Use 13,400 × 13,400 pixels of one bit: more than Pillow's warning limit, but little memory."""
    message = refusal(encode(Image.new("1", (13_400, 13_400))), max_megapixels=179)
    assert "13,400" in message


def test_an_encoded_picture_decodes_to_the_same_pixels() -> None:
    image = Image.effect_noise((32, 32), 90).convert("RGB")
    assert decode(encode_png(image)).tobytes() == image.tobytes()


def wide_picture(mode: str) -> Image.Image:
    """Return a picture of 5000 × 40 pixels, with a slope and stripes that a seam would show in."""
    slope = Image.linear_gradient("L").rotate(90).resize((5000, 40))
    stripes = Image.linear_gradient("L").resize((40, 40)).resize((5000, 40))
    return Image.merge("RGBA", (slope, stripes, slope, stripes)).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_picture_with_a_long_edge_is_scaled_down_without_seams(mode: str) -> None:
    picture = wide_picture(mode)
    result = decode(encode(picture, "TIFF"))
    assert result.size == (MAX_EDGE, 33)
    wanted = picture.convert("RGB").resize(result.size, Image.Resampling.LANCZOS)
    assert max(high for _, high in ImageChops.difference(result, wanted).getextrema()) <= 1  # type: ignore[misc]


@pytest.mark.parametrize("size", [(MAX_EDGE, 30), (30, MAX_EDGE), (1025, 2049)])
def test_a_picture_within_the_longest_edge_keeps_every_pixel(size: tuple[int, int]) -> None:
    picture = Image.effect_noise(size, 90).convert("RGB")
    assert decode(encode(picture)).tobytes() == picture.tobytes()


def test_a_scaled_picture_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encode(wide_picture("RGB"), "JPEG", exif=exif)).size == (33, MAX_EDGE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_caller_chooses_a_smaller_edge(kind: str) -> None:
    picture = Image.linear_gradient("L").resize((900, 600)).convert("RGB")
    result = open_picture(encode(picture, kind), 50, max_edge=100)
    assert result.size == (100, 67)
    assert near(result.getpixel((50, 33)), (127, 127, 127))


def test_the_transparency_of_a_scaled_picture_has_its_size() -> None:
    picture = wide_picture("RGBA")
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 2500, 40))
    mask = transparency(encode(picture))
    assert mask is not None
    assert mask.size == (MAX_EDGE, 33)
    assert [mask.getpixel((x, 16)) for x in (0, 2000, 2100, 4095)] == [255, 255, 0, 0]


def test_a_check_finds_what_decoding_would_find() -> None:
    file = encode(Image.effect_noise((1500, 1500), 90).convert("RGB"), "JPEG")
    check_picture(file, 50)
    with pytest.raises(InvalidRequest, match="damaged or incomplete"):
        check_picture(file[: len(file) // 2], 50)


_PEAK = """
import resource, sys
from inference.images.decoding import check_picture, open_picture
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{function}(sys.stdin.buffer.read(), 50)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // (2**20 if sys.platform == "darwin" else 2**10))
"""


@pytest.mark.parametrize("function", ["open_picture", "check_picture"])
def test_a_small_file_with_many_pixels_is_in_memory_about_once(function: str) -> None:
    pytest.importorskip("resource")
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(bytes(1 + 4 * 7000)) for _ in range(7000)) + packer.flush()
    program = [sys.executable, "-c", _PEAK.format(function=function)]
    result = subprocess.run(
        program, input=png_file(7000, 7000, 6, pixels), capture_output=True, cwd=Path(__file__).parents[3], check=True
    )
    assert int(result.stdout) < 350  # megabytes; the pixels alone have 187
