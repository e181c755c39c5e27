"""Plain text, in the encodings that people's editors write."""

from __future__ import annotations

from inference.errors import InvalidRequest

_ALLOWED = "\t\n\r\f\x1b"


def decode(data: bytes, name: str, declared: str = "") -> str:
    """UTF-8 or UTF-16 with a mark, else what the file declares, else Windows' western letters.

    Raises InvalidRequest for what is no text.
    """
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else filter(None, ("utf-8-sig", declared, "cp1252")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(character < " " and character not in _ALLOWED for character in text):
            return text
    raise InvalidRequest(
        "{name} is not a document that this bot reads. Send a PDF, a .docx, a web page or a text file.", name=name
    )
