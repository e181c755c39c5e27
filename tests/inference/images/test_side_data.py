"""Test that side data never refuses a picture, and that what it says is read where it can be."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable, Sequence

import pytest
from PIL import Image, TiffImagePlugin

from inference.images.decoding import open_picture, side_data
from inference.images.exif import DESCRIPTION, MAX_TEXT_BYTES, comment_text, read_exif
from inference.types.errors import InvalidRequest
from tests.inference.images.test_decoding import RED, encode, near

pytestmark = pytest.mark.filterwarnings("error")

EXIF, USER_COMMENT = 0x8769, 0x9286


def chunk(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    """Return a chunk of a PNG file, with its own checksum unless another is given."""
    checksum = zlib.crc32(name + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def png_with(*chunks: bytes, after_pixels: bool = False) -> bytes:
    """Return a red PNG file with more chunks, before its pixels or after them."""
    file = encode(Image.new("RGB", (16, 16), RED))
    place = file.index(b"IEND" if after_pixels else b"IDAT") - 4
    return file[:place] + b"".join(chunks) + file[place:]


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(*segments: bytes, **options: object) -> bytes:
    """Return a red JPEG file with more segments at its beginning."""
    file = encode(Image.new("RGB", (16, 16), RED), "JPEG", **options)
    return file[:2] + b"".join(segments) + file[2:]


def exif_block(*tags: tuple[int, int, int, bytes], order: str = "<") -> bytes:
    """Return EXIF with these tags: number, type, count, and four bytes."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = b"".join(struct.pack(order + "HHI", *tag[:3]) + tag[3] for tag in tags)
    return head + struct.pack(order + "IH", 8, len(tags)) + entries + bytes(4)


BOMB = zlib.compress(bytes(20 * 2**20))

BROKEN_EXIF = [
    b"no such thing",
    exif_block((0x0132, 12, 1, b"\xff\xff\xff\xff")),  # a date as a number, beyond the end
    exif_block((0x011A, 2, 4, b"72\0\0"), (0x0128, 3, 1, b"\3\0\0\0")),  # a resolution as text, in centimetres
    exif_block((0x0112, 2, 4, b"top\0")),  # an orientation as text
    exif_block((0x0112, 3, 1, b"\x63\0\0\0")),  # … and one that there is not
    exif_block((EXIF, 4, 1, b"\xff\xff\xff\x7f")),
    b"II*\0\xff\xff\xff\xff",
    b"MM",
]


@pytest.mark.parametrize("exif", BROKEN_EXIF)
@pytest.mark.parametrize(
    "file",
    [
        lambda exif: jpeg_with(segment(0xE1, b"Exif\0\0" + exif)),
        lambda exif: png_with(chunk(b"eXIf", exif)),
        lambda exif: encode(Image.new("RGB", (16, 16), RED), "WEBP", exif=b"Exif\0\0" + exif, lossless=True),
    ],
    ids=["JPEG", "PNG", "WebP"],
)
def test_broken_exif_refuses_no_picture(file: Callable[[bytes], bytes], exif: bytes) -> None:
    picture = open_picture(file(exif), 50)
    assert picture.size == (16, 16)
    assert near(picture.getpixel((5, 5)), RED)


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"zTXt", b"workflow\0\0" + BOMB)],
        [chunk(b"iTXt", b"workflow\0\1\0\0\0" + BOMB)],
        [chunk(b"tEXt", b"workflow\0" + bytes(3 * 2**20))],
        [chunk(b"iCCP", b"large\0\0" + BOMB)],
        [chunk(b"iCCP", b"")],
        [chunk(b"iCCP", b"odd\0\1" + BOMB)],
        [chunk(b"eXIf", b"MM", checksum=0)],
        [chunk(b"tEXt", b"Comment\0broken", checksum=1)],
        [chunk(b"zTXt", b"Comment\0\0no such thing")],
        [chunk(b"gAMA", b"\0"), chunk(b"pHYs", b""), chunk(b"cHRM", b"\0\0"), chunk(b"sRGB", b"")],
        [chunk(b"tRNS", b"\0")],
        [chunk(b"acTL", b"\0"), chunk(b"fcTL", bytes(26))],
        [chunk(b"quIz", b"private", checksum=3)] * 40,
        [chunk(b"v1Ab", b"private")],
    ],
)
@pytest.mark.parametrize("after_pixels", [False, True])
def test_side_chunks_refuse_no_png(chunks: list[bytes], after_pixels: bool) -> None:
    assert open_picture(png_with(*chunks, after_pixels=after_pixels), 50).getpixel((5, 5)) == RED


def test_a_text_between_the_pixels_of_a_png_is_skipped() -> None:
    file = encode(Image.effect_noise((64, 64), 90).convert("RGB"))
    start = file.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", file, start)
    pixels = file[start + 8 : start + 8 + length]
    halves = chunk(b"IDAT", pixels[:99]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", pixels[99:])
    assert open_picture(file[:start] + halves + file[start + 12 + length :], 50) == open_picture(file, 50)


@pytest.mark.parametrize("missing", [4, 12, 16, 20])
def test_a_png_whose_pixels_are_all_there_needs_no_end(missing: int) -> None:
    assert open_picture(png_with()[:-missing], 50).getpixel((5, 5)) == RED


@pytest.mark.parametrize("missing", range(30, 60, 5))
def test_a_png_that_ends_within_its_pixels_is_refused(missing: int) -> None:
    file = encode(Image.effect_noise((64, 64), 90).convert("RGB"))
    with pytest.raises(InvalidRequest, match="damaged or incomplete"):
        open_picture(file[:-missing], 50)


@pytest.mark.parametrize(
    "segments",
    [
        [segment(0xE0, b"JFIF\0")],
        [segment(0xEE, b"Adobe")],
        [segment(0xE2, b"MPF\0no such thing")],
        [segment(0xE2, b"ICC_PROFILE\0\1\2half")],
        [segment(0xE2, b"ICC_PROFILE\0")],
        [segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x02ab")],
        [segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='no'>")],
        [segment(0xFE, bytes(60_000))] * 30,
    ],
)
def test_side_segments_refuse_no_jpeg(segments: list[bytes]) -> None:
    assert near(open_picture(jpeg_with(*segments), 50).getpixel((5, 5)), RED)


@pytest.mark.parametrize("between", [b"\0\0\0", b"junk", b"\xff\xd8", b"\xff\xff\xff", b"\xff\xe5\0\0"])
def test_what_is_between_two_segments_refuses_no_jpeg(between: bytes) -> None:
    file = jpeg_with()
    table = file.index(b"\xff\xdb")
    for place in (2, table):
        assert near(open_picture(file[:place] + between + file[place:], 50).getpixel((5, 5)), RED)


def webp_with(size_error: int = 0, **chunks: bytes) -> bytes:
    """Return a red WebP file with these chunks at its end. The size in its head is wrong by `size_error`."""
    file = encode(Image.new("RGB", (16, 16), RED), "WEBP", exif=b"Exif\0\0" + exif_block(), lossless=True)
    file += b"".join(name.encode() + struct.pack("<I", len(body)) + body for name, body in chunks.items())
    return b"RIFF" + struct.pack("<I", len(file) - 8 + size_error) + file[8:]


@pytest.mark.parametrize(
    "file",
    [
        webp_with(size_error=1000),
        webp_with(size_error=-30),
        webp_with(ABCD=b"12"),
        webp_with() + bytes(100),
        webp_with() + b"EXIF\xff\xff\0\0x",
    ],
)
def test_side_chunks_and_a_wrong_size_refuse_no_webp(file: bytes) -> None:
    assert near(open_picture(file, 50).getpixel((5, 5)), RED)


@pytest.mark.parametrize("missing", [30, 200])
def test_a_webp_that_ends_within_its_pixels_is_refused(missing: int) -> None:
    file = encode(Image.effect_noise((80, 64), 90).convert("RGB"), "WEBP", lossless=True)
    with pytest.raises(InvalidRequest):
        open_picture(file[:-missing], 50)


def noisy_jpeg(**options: object) -> bytes:
    return encode(Image.effect_noise((80, 64), 90).convert("RGB"), "JPEG", **options)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("end", [b"", b"\xff", bytes(700), b"\xff\xff\xff"])
def test_a_jpeg_needs_no_mark_at_its_end(progressive: bool, end: bytes) -> None:
    file = noisy_jpeg(progressive=progressive)
    assert open_picture(file[:-2] + end, 50) == open_picture(file, 50)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [6, 40, 400, 1500])
def test_a_jpeg_that_ends_before_its_last_pixel_is_refused(progressive: bool, missing: int) -> None:
    with pytest.raises(InvalidRequest, match="damaged or incomplete"):
        open_picture(noisy_jpeg(progressive=progressive)[:-missing], 50)


def test_a_jpeg_with_a_thumbnail_and_a_film_behind_it_is_decoded() -> None:
    thumbnail = encode(Image.new("RGB", (8, 8), "blue"), "JPEG")
    file = jpeg_with(segment(0xE1, b"Exif\0\0" + exif_block() + thumbnail)) + b"\0\0\0\x18ftypmp42" + bytes(500)
    assert near(open_picture(file, 50).getpixel((5, 5)), RED)


@pytest.mark.parametrize(
    "tags",
    [
        {TiffImagePlugin.X_RESOLUTION: "many", TiffImagePlugin.RESOLUTION_UNIT: 3},
        {TiffImagePlugin.DATE_TIME: "never" * 100_000},
        {TiffImagePlugin.ICCPROFILE: b"no profile"},
        {274: "upside down"},
    ],
)
def test_tags_without_pixels_refuse_no_tiff(tags: dict[int, object]) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value
        info.tagtype[tag] = 7 if isinstance(value, bytes) else 2 if isinstance(value, str) else 3
    picture = open_picture(encode(Image.new("RGB", (16, 8), RED), "TIFF", tiffinfo=info), 50)
    assert (picture.size, picture.getpixel((5, 5))) == ((16, 8), RED)


@pytest.mark.parametrize(
    "file",
    [
        b"\xff\xd8\xff" + b"\xff" * 5_000_000,
        b"\xff\xd8\xff\xe1" + b"\0\2\xff\xe1" * 1_000_000,
        b"\xff\xd8\xff" + b"\xff\1" * 2_000_000,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 400_000,
        b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", b"a\0\0" + BOMB) * 50,
        b"II*\0\x08\0\0\0\xff\xff" + bytes(1_000_000),
    ],
)
def test_a_file_that_is_made_to_take_long_is_refused_in_time(file: bytes) -> None:
    """Fail by timeout if taking it apart takes quadratic time."""
    with pytest.raises(InvalidRequest):
        open_picture(file, 50)


def sideways() -> Image.Image:
    picture = Image.new("RGB", (32, 16), RED)
    picture.paste((0, 0, 255), (0, 0, 16, 16))  # blue left
    return picture


def is_turned(file: bytes) -> bool:
    picture = open_picture(file, 50)
    return picture.size == (16, 32) and near(picture.getpixel((8, 4)), (0, 0, 255), by=8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "number"), [(3, "H"), (4, "I"), (1, "B")])
def test_an_orientation_is_read_beside_broken_tags(order: str, kind: int, number: str) -> None:
    broken = (0x0132, 2, 99, b"\xff\xff\xff\xff")
    exif = exif_block(broken, (0x0112, kind, 1, struct.pack(order + number, 6).ljust(4, b"\0")), order=order)
    assert is_turned(encode(sideways(), "JPEG", exif=b"Exif\0\0" + exif))


def test_an_orientation_is_read_from_xmp_and_from_a_text_with_exif() -> None:
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    file = encode(sideways(), "JPEG", subsampling=0)
    assert is_turned(file[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) + file[2:])
    exif = b"Exif\0\0" + exif_block((0x0112, 3, 1, b"\6\0\0\0"))
    text = f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode()
    file = encode(sideways())
    place = file.index(b"IDAT") - 4
    for added in (
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)),
        chunk(b"tEXt", b"Raw profile type APP1\0" + text),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
    ):
        assert is_turned(file[:place] + added + file[place:])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_a_tiff_is_turned_once(compression: str) -> None:
    assert is_turned(encode(sideways(), "TIFF", tiffinfo={274: 6}, compression=compression))


@pytest.mark.parametrize("after_pixels", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        chunk(b"tEXt", b"parameters\0ein Fuchs \xfcber"),
        chunk(b"tEXt", b"parameters\0" + "ein Fuchs über".encode()),
        chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"ein Fuchs \xfcber")),
        chunk(b"iTXt", b"parameters\0\0\0de\0\0" + "ein Fuchs über".encode()),
        chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress("ein Fuchs über".encode())),
    ],
)
def test_texts_are_read_from_every_kind_of_chunk_at_every_place(text: bytes, after_pixels: bool) -> None:
    assert side_data(png_with(text, after_pixels=after_pixels)).texts == {"parameters": "ein Fuchs über"}


TEXT = "ein Fuchs 狐"


@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16-le"),
        b"UNICODE\0" + TEXT.encode("utf-16"),
        b"UNICODE\0" + TEXT.encode(),
        b"ASCII\0\0\0" + TEXT.encode() + b"\0\0",
        bytes(8) + TEXT.encode(),
        b"JIS\0\0\0\0\0" + TEXT.encode("iso2022_jp"),
        TEXT.encode(),
        TEXT.encode("utf-16-le"),
    ],
)
def test_a_comment_is_read_in_every_encoding(comment: bytes) -> None:
    assert comment_text(comment) == TEXT


def test_a_comment_is_read_beside_broken_tags() -> None:
    broken: Sequence[tuple[int, int, int, bytes]] = [(0x0132, 12, 1, b"\xff\xff\xff\xff"), (1, 99, 9, bytes(4))]
    comment = b"UNICODE\0" + TEXT.encode("utf-16-le")
    head = exif_block(*broken, (EXIF, 4, 1, struct.pack("<I", 100)))
    directory = exif_block((USER_COMMENT, 7, len(comment), struct.pack("<I", 200)))[8:]
    exif = head.ljust(100, b"\0") + directory.ljust(100, b"\0") + comment
    assert side_data(jpeg_with(segment(0xE1, b"Exif\0\0" + exif))).user_comment == TEXT


def test_thousands_of_tags_that_claim_the_same_bytes_take_little_memory() -> None:
    tags = [(number, 7, 200_000, bytes(4)) for number in range(16_000)]
    file = exif_block(*tags).ljust(200_000, b"\0")
    tracemalloc.start()
    try:
        exif = read_exif(file)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()
    assert len(exif.value(DESCRIPTION)) == 200_000


def test_a_tag_that_claims_more_than_a_text_has_is_not_read() -> None:
    tags = [(DESCRIPTION, 2, MAX_TEXT_BYTES + 1, bytes(4)), (0x0112, 3, 2**30, bytes(4))]
    exif = read_exif(exif_block(*tags).ljust(MAX_TEXT_BYTES + 100, b" "))
    assert exif.text(DESCRIPTION) == ""
    assert exif.number(0x0112) == struct.unpack("<H", b"II")[0]  # only its first value is read


class CountedUnpackers:
    """Counts the bytes that zlib unpacks."""

    def __init__(self) -> None:
        self.bytes = 0
        self._unpacker = zlib.decompressobj

    def __call__(self) -> CountedUnpackers:
        self._current = self._unpacker()
        return self

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked = self._current.decompress(data, max_length)
        self.bytes += len(unpacked)
        return unpacked

    @property
    def unconsumed_tail(self) -> bytes:
        return self._current.unconsumed_tail


def packed_texts(count: int, size: int) -> list[bytes]:
    return [chunk(b"zTXt", b"text %d\0\0" % number + zlib.compress(b"x" * size)) for number in range(count)]


def test_texts_are_unpacked_when_they_are_asked_for_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "decompressobj", unpackers := CountedUnpackers())
    open_picture(png_with(*packed_texts(3, 1000)), 50)
    file = side_data(png_with(*packed_texts(3, 1000)))
    assert unpackers.bytes == 0
    assert list(file.texts) == list(file.texts) == ["text 0", "text 1", "text 2"]
    assert unpackers.bytes == 3000


def test_all_texts_of_a_file_share_one_limit() -> None:
    texts = side_data(png_with(*packed_texts(30, 2**20), chunk(b"tEXt", b"last\0text"))).texts
    assert sum(map(len, texts.values())) == MAX_TEXT_BYTES
    texts = side_data(png_with(*packed_texts(1, 3 * 2**20), *packed_texts(9, 2**21), chunk(b"tEXt", b"a\0b"))).texts
    assert texts == {"text 0": "x" * 3 * 2**20, "a": "b"}


def test_one_of_many_colour_profiles_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "decompressobj", unpackers := CountedUnpackers())
    profiles = [chunk(b"iCCP", b"large\0\0" + zlib.compress(bytes(1000)))] * 50
    assert len(side_data(png_with(*profiles)).profile) == unpackers.bytes == 1000
