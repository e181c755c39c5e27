"""Plain text in any encoding: declared, marked, or guessed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from inference.documents.encoding_detection import decoded, guess_encoding
from inference.documents.encoding_labels import codec_of, name_of
from inference.types.errors import InvalidRequest

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""UTF-32 stands before UTF-16, whose mark it begins with."""
_DECLARATIONS = (
    re.compile(rb"\A(?:[^\n]*\n)?[^\n]{0,200}?\b(?:en)?coding\s*[:=]\s*[\"']?([\w.:-]{1,40})"),
    re.compile(rb"\A@charset \"([\w.:-]{1,40})\""),
    re.compile(rb"^\"Content-Type: text/plain; charset=([\w.:-]{1,40})\\n\"", re.IGNORECASE | re.MULTILINE),
    re.compile(rb"^[^\n%]{0,100}\\usepackage\[([\w.:-]{1,40})\]\{inputenc\}", re.MULTILINE),
)
"""The first two lines of XML and of source code, `<?xml encoding="…"?>` and `-*- coding: … -*-`, and what style sheets,
translations (.po) and TeX have."""
_DECLARATION_BYTES = 2000
_CONTROLS = re.compile(r"\0+|[\x01-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Zeros in a row count as one, since a program that is ended leaves any number of them in its log."""
_MAX_CONTROL_SHARE = 0.1
"""What is not text has more of them, and so has UTF-16, every other byte of which is a zero."""
_MAX_CONTROL_SHARE_UNDECLARED = 0.01
_MIN_ZERO_SHARE = 0.01
"""In UTF-16, the characters of ASCII have a zero; there are blanks and line breaks in every script."""
_SEVEN_BIT = {"iso2022-kr": b"\x1b$)C", "iso2022-jp-ext": b"\x1b$", "hz": b""}
"""Encodings whose bytes are ASCII, and the escape sequences that give them away."""
_ALSO = {"euc-jp": "euc-jis-2004"}
"""Encodings that have the letters which the first one lacks."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text, and the name of its encoding if it is only the likeliest of several."""

    text: str
    assumed_encoding: str = ""


def decode(data: bytes, name: str, declared: str = "") -> DecodedText:
    """Decode a text by its byte order mark, as UTF-8, by its declared encoding, or by the likeliest one.

    `declared` is Python's name of an encoding. Raise InvalidRequest for data that is not text.
    """
    data = data.removeprefix(codecs.BOM_UTF8)  # some programs write it before any encoding
    for text in _candidates(data, declared or _declared_in(data)):
        if _control_share(text) <= _MAX_CONTROL_SHARE:
            return DecodedText(text)
    if not data.startswith(tuple(_BYTE_ORDER_MARKS)):
        guess = guess_encoding(data)
        text = decoded(data, guess.codec)
        if _control_share(text) <= _MAX_CONTROL_SHARE_UNDECLARED:
            return DecodedText(text, "" if guess.certain else name_of(guess.codec))
    raise InvalidRequest(
        "{name} is not a document that this bot reads. Send a PDF, an Office file (.docx, .xlsx, .pptx), OpenDocument, "
        "rich text (.rtf), a book (.epub), a mail (.eml), a web page or a text file.",
        name=name,
    )


def _candidates(data: bytes, declared: str) -> Iterator[str]:
    """Yield the texts that the data says it is, or hardly can be by chance; the likeliest first."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            if text.count("\N{REPLACEMENT CHARACTER}") <= len(text) // 2:
                yield text
            return
    seven_bit = [declared] if declared in _SEVEN_BIT else []
    declared_encodings = [*filter(None, (declared, _ALSO.get(declared)))]
    for encoding in (*seven_bit, *_escaped(data), "utf-8", *_unmarked(data), *declared_encodings):
        with suppress(UnicodeDecodeError):
            yield decoded(data, encoding, "strict")
    for encoding in filter(None, ("utf-8", declared)):
        text = decoded(data, encoding)
        if _is_mostly_valid(text):
            yield text


def _declared_in(data: bytes) -> str:
    found = (declaration.search(data[:_DECLARATION_BYTES]) for declaration in _DECLARATIONS)
    return next((codec_of(match[1].decode("ascii", "ignore")) for match in found if match), "")


def _escaped(data: bytes) -> Iterator[str]:
    """Yield the encoding whose escape sequences the data has."""
    yield from (encoding for encoding, escape in _SEVEN_BIT.items() if escape and escape in data)


def _unmarked(data: bytes) -> Iterator[str]:
    """Yield UTF-32 and UTF-16 without a mark, if the zeros in the data are where these have them."""
    if b"\0" not in data:
        return
    if len(data) % 4 == 0:
        yield from (encoding for encoding in ("utf-32-le", "utf-32-be") if _is_printable(data[:4000], encoding))
    if len(data) % 2 == 0:
        zeros = (data[::2].count(0), data[1::2].count(0))
        encoding = "utf-16-be" if zeros[0] else "utf-16-le"
        if min(zeros) == 0 and max(zeros) > _MIN_ZERO_SHARE * len(data) and _is_printable(data[:4000], encoding):
            yield encoding


def _is_printable(data: bytes, encoding: str) -> bool:
    return all(character.isprintable() or character.isspace() for character in data.decode(encoding, "ignore"))


def _control_share(text: str) -> float:
    """Return the number of control characters that no text has, without the first, divided by that of all."""
    found = _CONTROLS.findall(text)
    return (len(found) - 1) / max(1, len(text) - sum(map(len, found)) + len(found))


def _is_mostly_valid(text: str) -> bool:
    """Return whether most non-ASCII characters could be decoded. In other encodings hardly any can."""
    replacements = text.count("\N{REPLACEMENT CHARACTER}")
    others = len(text) - len(text.encode("ascii", "ignore"))
    return others > 2 * replacements and replacements <= 1 + others / 4
