"""Plain text in common encodings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from inference.types.errors import InvalidRequest

_ALLOWED_CONTROL_CHARACTERS = "\a\b\t\n\f\r\x1b"
"""Control characters that occur in texts, such as copied terminal output."""


def decode(data: bytes, name: str, declared: str = "") -> str:
    """Decode UTF-8 or UTF-16 with a byte order mark, the declared encoding, UTF-8 with a few errors, or Windows-1252.

    Raise InvalidRequest for data that is not text.
    """
    for text in _candidates(data, declared):
        if not any(character < " " and character not in _ALLOWED_CONTROL_CHARACTERS for character in text):
            return text
    raise InvalidRequest(
        "{name} is not a document that this bot reads. Send a PDF, a .docx, a web page or a text file.", name=name
    )


def _candidates(data: bytes, declared: str) -> Iterator[str]:
    """Yield possible texts, the likeliest first."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        with suppress(UnicodeDecodeError):
            yield data.decode("utf-16")
        return
    for encoding in filter(None, ("utf-8-sig", declared)):
        with suppress(UnicodeDecodeError):
            yield data.decode(encoding)
    text = data.decode("utf-8-sig", "replace")
    if _is_mostly_valid(text):
        yield text
    with suppress(UnicodeDecodeError):
        yield data.decode("cp1252")


def _is_mostly_valid(text: str) -> bool:
    """Return whether most non-ASCII characters could be decoded. In other encodings hardly any can."""
    replacements = text.count("\N{REPLACEMENT CHARACTER}")
    return len(text) - len(text.encode("ascii", "ignore")) > 2 * replacements
