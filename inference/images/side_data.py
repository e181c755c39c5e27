"""What a picture's file holds beside its pixels: EXIF, a colour profile, texts.

Only damaged pixels refuse a picture. So PNG, JPEG, WebP and TIFF files are taken apart here, and the decoder gets the
pixels alone: nothing in the side data can make it fail. The formats that hold none of it in front of the pixels stay
whole.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from inference.images import standard_profiles
from inference.images.exif import (
    ICC_PROFILE,
    MAX_TEXT_BYTES,
    ORIENTATION,
    USER_COMMENT,
    Exif,
    comment_text,
    read_exif,
)

_MAX_TEXTS = 32
"""Texts of a PNG file that are unpacked, at most."""
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_RAW_EXIF, _RAW_APP1, _XMP = "Raw profile type exif", "Raw profile type APP1", "XML:com.adobe.xmp"
_SIDE_DATA_KEYS = tuple(f"{key}\0".encode() for key in (_RAW_EXIF, _RAW_APP1, _XMP))
"""How texts begin that hold what other formats have a place for."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNG_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))

_DISPLAY_P3 = bytes([12, 13, 0, 1])
"""What a PNG file says of Display P3: its primaries, the curve of sRGB, RGB, full range."""
_ADOBE_RGB = "R03"

_WEBP_PIXEL_CHUNKS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF")
_WEBP_SIDE_CHUNKS = {b"EXIF": "exif", b"ICCP": "profile", b"XMP ": "xmp"}

_JPEG_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""The next marker. FF00 is a byte of the pixels, and FFD0 to FFD7 stand between pixels."""
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_PROFILE_PREFIX, _XMP_PREFIX = b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/1.0/\0"

_PIXEL_TAGS = frozenset(
    number
    for first, last in (
        *((254, 259), (262, 262), (266, 266), (273, 273), (277, 281), (284, 284), (292, 293), (317, 320), (322, 325)),
        *((332, 332), (334, 334), (336, 336), (338, 341), (347, 347), (512, 521), (529, 532), (50674, 50674)),
    )
    for number in range(first, last + 1)
)
"""Tags of TIFF that say how pixels are stored."""

_AVIF_EXIF = re.compile(rb"(infe\x02.{7})Exif", re.DOTALL)
"""The entry of EXIF in the list of what an AVIF file holds."""

_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


@dataclass(frozen=True)
class PictureFile:
    """A picture file, taken apart. `pixels` is a file of the same format with little else in it.

    `text_chunks` are name and body of a PNG file's texts, as they are packed. `lacks_end` is a JPEG file that ends
    without the mark for its end; `pixels` has one.
    """

    pixels: bytes
    exif: bytes = b""
    profile: bytes = b""
    xmp: bytes = b""
    comment: bytes = b""
    text_chunks: Sequence[tuple[bytes, bytes]] = ()
    lacks_end: bool = False

    @cached_property
    def tags(self) -> Exif:
        return read_exif(self.exif)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The texts by their keys, unpacked when they are first asked for: few pictures are opened to read them."""
        comment = {"comment": _decoded(self.comment)} if self.comment else {}
        return comment | _png_texts(self.text_chunks)

    @property
    def orientation(self) -> int:
        """How the picture is to be turned, 1 to 8; 1, which is not at all, if it is not readable."""
        orientation = self.tags.number(ORIENTATION)
        if orientation is None and (match := _XMP_ORIENTATION.search(self.xmp)):
            return int(match[1])
        return orientation if orientation and 1 <= orientation <= 8 else 1

    @property
    def user_comment(self) -> str:
        """The comment in the EXIF; empty if there is none."""
        return comment_text(self.tags.value(USER_COMMENT), self.tags.order)

    def completed(self, info: Mapping[Any, object]) -> PictureFile:
        """Return the same with what Pillow found, for formats that are not taken apart here."""
        return replace(
            self,
            exif=self.exif or _bytes(info.get("exif")),
            profile=self.profile or _bytes(info.get("icc_profile")),
            xmp=self.xmp or _bytes(info.get("xmp")),
            comment=self.comment or _bytes(info.get("comment")),
        )


def take_apart(data: bytes) -> PictureFile:
    """Return the pixels and the side data of a file. A file that is not understood is returned whole."""
    if data.startswith(_PNG_SIGNATURE):
        return _png(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return _tiff(data)
    return PictureFile(data)


def without_avif_exif(file: PictureFile) -> PictureFile:
    """Return an AVIF file whose EXIF the decoder does not find. It would refuse the picture if it is broken."""
    return replace(file, pixels=_AVIF_EXIF.sub(rb"\1free", file.pixels))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _decoded(text: bytes) -> str:
    """Return a text that should be Latin-1, and is UTF-8 from many programs."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _png(data: bytes) -> PictureFile:
    kept, exif, profile, texts = [_PNG_SIGNATURE], b"", b"", list[tuple[bytes, bytes]]()
    header, colours, is_cut = b"", b"", False
    for name, start, end in _png_chunks(data):
        body = data[start:end]
        if name in _PIXEL_CHUNKS:
            kept.append(data[start - 8 : end + 4])
            header, is_cut = header or body, end + 4 > len(data)
        elif name == b"tRNS" and _is_whole(data, name, start, end) and _fits_transparency(header, body):
            kept.append(data[start - 8 : end + 4])
        elif name == b"eXIf":
            exif = body
        elif name == b"iCCP" and body.partition(b"\0")[2][:1] == b"\0":
            profile = body.partition(b"\0")[2][1:]
        elif name == b"cICP":
            colours = body
        elif name in _TEXT_CHUNKS and len(texts) < _MAX_TEXTS:
            texts.append((name, body))
    if not is_cut and kept[-1] != _PNG_END:
        kept.append(_PNG_END)
    side = _png_texts([(name, body) for name, body in texts if body.startswith(_SIDE_DATA_KEYS)])
    exif = exif or _raw_profile(side.get(_RAW_EXIF) or side.get(_RAW_APP1, ""))
    xmp = side.get(_XMP, "").encode()
    # What names the colours goes before a profile, as the standard says.
    profile = standard_profiles.display_p3() if colours == _DISPLAY_P3 else _inflated(profile, MAX_TEXT_BYTES)
    return PictureFile(b"".join(kept), exif, profile, xmp, text_chunks=texts)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the body of each chunk, up to the first that is no chunk. The last may be cut."""
    position = len(_PNG_SIGNATURE)
    while position + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        if not name.isalnum():
            return
        yield name, position + 8, position + 8 + length
        position += length + 12


def _is_whole(data: bytes, name: bytes, start: int, end: int) -> bool:
    """Return whether the checksum of a chunk is right."""
    return end + 4 <= len(data) and zlib.crc32(data[start:end], zlib.crc32(name)) == int.from_bytes(data[end : end + 4])


def _fits_transparency(header: bytes, body: bytes) -> bool:
    """Return whether a chunk of transparent colours is as long as the kind of the picture asks."""
    kind = header[9] if len(header) > 9 else 0
    return 0 < len(body) <= 256 if kind == 3 else len(body) >= {0: 2, 2: 6}.get(kind, 0)


def _png_texts(chunks: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the texts of chunks by their keys, up to a size for all of them; those that can't be read are left out."""
    texts, room = dict[str, str](), MAX_TEXT_BYTES
    for name, body in chunks:
        key, text = _png_text(name, body, room)
        if key and text and len(text) <= room:
            texts[key.decode("latin-1")] = _decoded(text)
            room -= len(text)
    return texts


def _png_text(name: bytes, body: bytes, room: int) -> tuple[bytes, bytes]:
    """Return key and text of a chunk; no text if unpacking it takes more than `room` bytes."""
    key, _, text = body.partition(b"\0")
    if name == b"zTXt":
        return key, _inflated(text[1:], room)
    if name == b"iTXt":
        packed = text[:1] == b"\1"
        text = text[2:].split(b"\0", 2)[-1]
        return key, _inflated(text, room) if packed else text
    return key, text


def _inflated(data: bytes, room: int) -> bytes:
    """Return the unpacked bytes; none if they are damaged, or more than `room`."""
    if not room:
        return b""
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, room)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else unpacked


def _raw_profile(text: str) -> bytes:
    """Return the EXIF that ImageMagick writes into a text: a name and a length, each in a line, and digits."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""


def _jpeg(data: bytes) -> PictureFile:
    side: dict[str, list[bytes]] = {"exif": [], "profile": [], "xmp": [], "comment": []}
    kept, position, last_end = list[bytes](), 0, 0
    is_ended = has_pixels = False
    for marker, start, end in _jpeg_segments(data):
        body = data[start + 4 : end]
        if not has_pixels:  # what is between segments then is neither
            kept.append(data[position:last_end])
            position = start
        if marker == _END_OF_IMAGE:
            kept.append(data[position:end])
            is_ended = True
        elif not _matters(marker, body) or (marker == _START_OF_IMAGE and start):
            kept.append(data[position:start])
            position = end
            _collect(marker, body, side)
        has_pixels, last_end = has_pixels or marker == _START_OF_SCAN, end
    if not is_ended:
        kept += [data[position:].rstrip(b"\xff"), b"\xff\xd9"]
    comment = next(iter(side["comment"]), b"")
    exif, xmp = (b"".join(side[name]) for name in ("exif", "xmp"))
    profile = _joined_profile(side["profile"])
    if not profile and read_exif(exif).interoperability == _ADOBE_RGB:
        profile = standard_profiles.adobe_rgb()
    return PictureFile(b"".join(kept), exif, profile, xmp, comment, lacks_end=not is_ended)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment, up to the end of the picture. The last one may be cut."""
    position = 0
    while match := _JPEG_MARKER.search(data, position):
        marker, start = match[1][0], match.end() - 2
        has_body = marker not in (1, _START_OF_IMAGE, _END_OF_IMAGE)
        position = match.end() + (int.from_bytes(data[match.end() : match.end() + 2]) if has_body else 0)
        yield marker, start, position
        if marker == _END_OF_IMAGE:
            return


def _matters(marker: int, body: bytes) -> bool:
    """Return whether a segment is needed to decode: all are, but comments and most of the segments for programs."""
    if marker == 0xE0:
        return body.startswith(b"JFIF\0") and len(body) >= 14  # says that there are luma and chroma
    if marker == 0xEE:
        return body.startswith(b"Adobe") and len(body) >= 12  # says which colours there are
    return marker != _COMMENT and not 0xE1 <= marker <= 0xEF


def _collect(marker: int, body: bytes, side: dict[str, list[bytes]]) -> None:
    """Add the body of a segment that does not matter to what it belongs to."""
    if marker == 0xE1 and body.startswith(b"Exif\0\0"):
        side["exif"].append(body[6:])
    elif marker == 0xE1 and body.startswith(_XMP_PREFIX):
        side["xmp"].append(body.removeprefix(_XMP_PREFIX))
    elif marker == 0xE2 and body.startswith(_PROFILE_PREFIX):
        side["profile"].append(body.removeprefix(_PROFILE_PREFIX))
    elif marker == _COMMENT:
        side["comment"].append(body)


def _joined_profile(parts: list[bytes]) -> bytes:
    """Return a profile from its numbered parts; nothing if one is missing."""
    parts = sorted(part for part in parts if len(part) > 2)
    if [part[0] for part in parts] != list(range(1, len(parts) + 1)) or any(part[1] != len(parts) for part in parts):
        return b""
    return b"".join(part[2:] for part in parts)


def _webp(data: bytes) -> PictureFile:
    """Keep the chunks of pixels, and write the size of the file anew: programs that cut or extend it forget that."""
    kept, side, position = list[bytes](), dict[str, bytes](), 12
    while position + 8 <= len(data):
        name, length = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        end = position + 8 + length + length % 2
        if name in _WEBP_PIXEL_CHUNKS:
            kept.append(data[position:end])
        elif name in _WEBP_SIDE_CHUNKS:
            side[_WEBP_SIDE_CHUNKS[name]] = data[position + 8 : position + 8 + length]
        position = end
    pixels = b"".join(kept)
    return replace(PictureFile(b"RIFF" + struct.pack("<I", 4 + len(pixels)) + b"WEBP" + pixels), **side)


def _tiff(data: bytes) -> PictureFile:
    """Take out the tags that do not tell of pixels, by writing a shorter directory over the first one."""
    order = "<" if data.startswith(b"II") else ">"
    whole = PictureFile(data, exif=data)
    if len(data) < 8 or not 8 <= (offset := struct.unpack_from(order + "I", data, 4)[0]) <= len(data) - 2:
        return whole
    (count,) = struct.unpack_from(order + "H", data, offset)
    if offset + 2 + 12 * count > len(data):
        return whole
    places = range(offset + 2, offset + 3 + 12 * count, 12)
    entries = [data[start:end] for start, end in pairwise(places)]
    kept = [entry for entry in entries if struct.unpack_from(order + "H", entry)[0] in _PIXEL_TAGS]
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept) + bytes(4)
    pixels = b"".join((data[:offset], directory, data[offset + len(directory) :]))
    return replace(whole, pixels=pixels, profile=whole.tags.value(ICC_PROFILE))
