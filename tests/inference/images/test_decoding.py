"""Whatever people upload becomes plain upright RGB, or a sentence."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from io import BytesIO

import pytest
from PIL import Image

from inference.images.decoding import encode_png, open_picture
from inference.types.errors import InvalidRequest

pytestmark = pytest.mark.filterwarnings("error")

WHITE = (255, 255, 255)
RED = (255, 0, 0)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def opened(data: bytes, max_megapixels: float = 50) -> Image.Image:
    image = open_picture(data, max_megapixels)
    assert image.mode == "RGB"
    return image


def refusal(data: bytes, max_megapixels: float = 50) -> str:
    with pytest.raises(InvalidRequest) as caught:
        open_picture(data, max_megapixels)
    return caught.value.user_message


def png_header(width: int, height: int) -> bytes:
    """A PNG file that promises a size and has next to nothing to show for it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def near(pixel: object, wanted: tuple[int, int, int], by: int = 3) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_each_common_format_opens(kind: str) -> None:
    image = opened(saved(Image.new("RGB", (20, 10), RED), kind))
    assert image.size == (20, 10)
    assert near(image.getpixel((5, 5)), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_that_exif_says_is_turned_comes_out_upright(kind: str) -> None:
    sideways = Image.new("RGB", (32, 16), RED)
    sideways.paste((0, 0, 255), (0, 0, 16, 16))  # blue left
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me a quarter clockwise"
    image = opened(saved(sideways, kind, exif=exif))
    assert image.size == (16, 32)
    assert near(image.getpixel((8, 4)), (0, 0, 255), by=8)  # blue on top


def test_unreadable_exif_data_does_not_spoil_a_good_picture() -> None:
    file = saved(Image.new("RGB", (8, 8), RED), "JPEG", exif=b"Exif\0\0no such thing")
    assert near(opened(file).getpixel((4, 4)), RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    file = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    assert near(opened(file).getpixel((8, 8)), RED)


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    image = opened(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    assert near(image.getpixel((8, 8)), RED, by=6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    deep = Image.new("I;16", (3, 1))
    for x, value in enumerate((0, 32768, 65535)):
        deep.putpixel((x, 0), value)
    image = opened(saved(deep, kind))
    assert [image.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (128, 128, 128), WHITE]


@pytest.mark.parametrize(("mode", "values"), [("F", (0.0, 0.5, 1.0)), ("I", (-1000, 0, 1000)), ("F", (7.0, 7.0, 7.0))])
def test_grey_without_an_agreed_range_is_stretched_to_eight_bits(mode: str, values: tuple[float, ...]) -> None:
    deep = Image.new(mode, (3, 1))
    for x, value in enumerate(values):
        deep.putpixel((x, 0), value)
    image = opened(saved(deep, "TIFF"))
    flat = len(set(values)) == 1
    assert [image.getpixel((x, 0)) for x in range(3)] == [(v, v, v) for v in ((0, 0, 0) if flat else (0, 127, 255))]


def test_a_palette_with_transparency_lies_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    result = opened(saved(image, "PNG", transparency=1))
    assert [result.getpixel((x, 0)) for x in range(2)] == [RED, WHITE]


@pytest.mark.parametrize(("mode", "half"), [("RGBA", (0, 0, 0, 128)), ("LA", (0, 128))])
def test_half_transparent_black_on_white_is_grey(mode: str, half: tuple[int, ...]) -> None:
    image = opened(saved(Image.new(mode, (4, 4), half)))
    assert near(image.getpixel((1, 1)), (127, 127, 127), by=1)


def test_a_transparent_colour_of_an_rgb_picture_is_white() -> None:
    assert opened(saved(Image.new("RGB", (4, 4), RED), "PNG", transparency=RED)).getpixel((1, 1)) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_file_is_called_damaged(kind: str) -> None:
    file = saved(Image.effect_noise((64, 64), 90).convert("RGB"), kind)
    message = refusal(file[: len(file) * 2 // 3])
    assert "damaged or incomplete" in message or "not a picture" in message


def test_a_picture_cut_after_its_header_is_called_damaged() -> None:
    file = saved(Image.effect_noise((64, 64), 90).convert("RGB"), "PNG")
    assert "damaged or incomplete" in refusal(file[:200])


def test_text_named_png_is_not_a_picture() -> None:
    assert "not a picture" in refusal(b"Dear bot,\nplease caption this.\n")


def test_an_empty_file_is_called_empty() -> None:
    assert "empty" in refusal(b"")


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PDF", "TGA"])
def test_other_formats_are_refused_with_the_list_of_those_that_work(kind: str) -> None:
    message = refusal(saved(Image.new("RGB", (16, 16)), kind))
    assert "PNG, JPEG, WebP" in message


def test_a_huge_picture_is_refused_by_its_header_before_anything_is_decoded() -> None:
    tracemalloc.start()
    message = refusal(png_header(20_000, 20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "20,000 × 20,000" in message
    assert "50 megapixels" in message
    assert peak < 5 * 10**6


def test_a_gif_frame_larger_than_its_screen_counts_as_huge() -> None:
    screen = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x4c\x01\0;"
    assert "60,000 × 60,000" in refusal(screen + frame)


def test_the_limit_is_the_operators() -> None:
    file = saved(Image.new("RGB", (100, 100)))
    assert opened(file, max_megapixels=0.01).size == (100, 100)
    assert "0.009 megapixels" in refusal(file, max_megapixels=0.009)


def test_a_limit_above_pillows_own_holds_without_a_warning() -> None:
    """13,400 × 13,400 pixels at one bit each: above the size that Pillow warns of, cheap to hold."""
    message = refusal(saved(Image.new("1", (13_400, 13_400))), max_megapixels=179)
    assert "13,400" in message


def test_an_encoded_picture_opens_again_unchanged() -> None:
    image = Image.effect_noise((32, 32), 90).convert("RGB")
    assert opened(encode_png(image)).tobytes() == image.tobytes()
