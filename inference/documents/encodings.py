"""Plain text, in the encodings that people's editors write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from inference.types.errors import InvalidRequest

_ALLOWED = "\a\b\t\n\f\r\x1b"
"""Control characters that texts hold too, such as what a terminal showed."""


def decode(data: bytes, name: str, declared: str = "") -> str:
    """UTF-8 or UTF-16 with a mark, else what the file declares, else UTF-8 with a few faults, else Windows' letters.

    Raises InvalidRequest for what is no text.
    """
    for text in _readings(data, declared):
        if not any(character < " " and character not in _ALLOWED for character in text):
            return text
    raise InvalidRequest(
        "{name} is not a document that this bot reads. Send a PDF, a .docx, a web page or a text file.", name=name
    )


def _readings(data: bytes, declared: str) -> Iterator[str]:
    """What the bytes may say, the likeliest first."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        with suppress(UnicodeDecodeError):
            yield data.decode("utf-16")
        return
    for encoding in filter(None, ("utf-8-sig", declared)):
        with suppress(UnicodeDecodeError):
            yield data.decode(encoding)
    text = data.decode("utf-8-sig", "replace")
    if _is_sound(text):
        yield text
    with suppress(UnicodeDecodeError):
        yield data.decode("cp1252")


def _is_sound(text: str) -> bool:
    """Whether more letters beyond ASCII could be read than not: by chance, hardly any can."""
    faults = text.count("\N{REPLACEMENT CHARACTER}")
    return len(text) - len(text.encode("ascii", "ignore")) > 2 * faults
