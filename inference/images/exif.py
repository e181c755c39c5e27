"""EXIF, read tag by tag: a broken tag hides no other tag, and nothing here raises an error."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_TEXT_BYTES = 4 * 2**20
"""Bytes of a text or a profile that are read, at most. Workflows of ComfyUI have up to two megabytes."""

ORIENTATION, DESCRIPTION, MAKE, MODEL = 0x0112, 0x010E, 0x010F, 0x0110
USER_COMMENT, XP_COMMENT, ICC_PROFILE = 0x9286, 0x9C9C, 0x8773
_EXIF_POINTER, _INTEROPERABILITY_POINTER = 0x8769, 0xA005
_INTEROPERABILITY_INDEX = 1
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""The size in bytes of a value of each type."""
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_PREFIX = re.compile(rb"(Exif\0\0)*")


@dataclass(frozen=True, slots=True)
class Tag:
    """Where the value of a tag is, and of which type it is."""

    kind: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Exif:
    """The tags of a picture, in `data`. `order` is the byte order, "<" or ">".

    A value is copied only when it is asked for: thousands of tags may claim the same bytes.
    """

    data: bytes = b""
    order: str = "<"
    tags: Mapping[int, Tag] = field(default_factory=dict[int, Tag])

    def value(self, number: int) -> bytes:
        """Return the bytes of a tag; none if they are too many."""
        tag = self.tags.get(number)
        end = min(tag.start + tag.size, len(self.data)) if tag else 0
        return self.data[tag.start : end] if tag and end - tag.start <= MAX_TEXT_BYTES else b""

    def number(self, number: int) -> int | None:
        """Return the first whole number of a tag; None if it has none."""
        tag = self.tags.get(number)
        letter = _WHOLE_NUMBERS.get(tag.kind) if tag else None
        if not tag or not letter or tag.start + struct.calcsize(letter) > len(self.data):
            return None
        return struct.unpack_from(self.order + letter, self.data, tag.start)[0]

    @property
    def interoperability(self) -> str:
        """How cameras name the kind of the file: R03 is Adobe RGB; empty if it is not named."""
        pointer = self.number(_INTEROPERABILITY_POINTER)
        tags = {} if pointer is None else _directory(self.data, self.order, pointer)
        return Exif(self.data, self.order, tags).text(_INTEROPERABILITY_INDEX)

    def text(self, number: int) -> str:
        """Return the text of a tag that should hold ASCII, and often holds UTF-8."""
        return self.value(number).decode("utf-8", errors="replace").strip("\0 ")


def read_exif(data: bytes) -> Exif:
    """Return the tags of an EXIF block, or of a TIFF file, which has the same form. Empty for anything else."""
    data = data[_PREFIX.match(data).end() :] if data.startswith(b"Exif") else data  # type: ignore[union-attr]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return Exif()
    tags = _directory(data, order, struct.unpack_from(order + "I", data, 4)[0])
    pointer = Exif(data, order, tags).number(_EXIF_POINTER)
    inner = {} if pointer is None else _directory(data, order, pointer)
    return Exif(data, order, inner | tags)


def _directory(data: bytes, order: str, offset: int) -> dict[int, Tag]:
    """Return the tags of the directory at `offset`. The first value of a tag counts."""
    if not 0 <= offset <= len(data) - 2:
        return {}
    tags: dict[int, Tag] = {}
    (count,) = struct.unpack_from(order + "H", data, offset)
    for place in range(offset + 2, min(offset + 2 + 12 * count, len(data) - 11), 12):
        number, kind, length = struct.unpack_from(order + "HHI", data, place)
        size = _SIZES.get(kind, 0) * length
        start = place + 8 if size <= 4 else struct.unpack_from(order + "I", data, place + 8)[0]
        if size and number not in tags:
            tags[number] = Tag(kind, start, size)
    return tags


def comment_text(comment: bytes, order: str = ">") -> str:
    """Return an EXIF user comment as text: eight bytes name its encoding, and programs take them lightly.

    UTF-16 is read in the byte order that makes sense, or else in `order`.
    """
    name, text = comment[:8], comment[8:]
    if name == b"UNICODE\0":
        return _utf16_text(text, order)
    if name == b"JIS\0\0\0\0\0":
        return _without_zeros(text.decode("iso2022_jp", errors="replace"))
    if name not in (b"ASCII\0\0\0", bytes(8)):
        text = comment
    return _utf16_text(text, order) if 0 in text.strip(b"\0") else _utf8_text(text)


def _utf16_text(text: bytes, order: str) -> str:
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _without_zeros(text.decode("utf-16", errors="replace"))
    if 0 not in text.strip(b"\0") and _is_utf8(text):
        return _utf8_text(text)
    orders = {"<": "utf-16-le", ">": "utf-16-be"}
    decoded = {name: text.decode(orders[name], errors="replace") for name in orders}
    ascii_letters = {name: sum(" " <= letter <= "~" for letter in decoded[name]) for name in orders}
    if ascii_letters["<"] != ascii_letters[">"]:
        order = max(ascii_letters, key=lambda name: ascii_letters[name])
    return _without_zeros(decoded[order])


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _utf8_text(text: bytes) -> str:
    return _without_zeros(text.decode("utf-8" if _is_utf8(text) else "latin-1"))


def _without_zeros(text: str) -> str:
    return text.strip("\0 ")
