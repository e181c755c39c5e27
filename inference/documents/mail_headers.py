"""The headers of mails as text, in encodings that are named as web pages name theirs, or not named at all."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter

from inference.documents.encoding_detection import decoded, guess_encoding
from inference.documents.encoding_labels import codec_of

_ENCODED_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,40})?\?([bq])\?([^?\r\n]{0,2000})\?=", re.IGNORECASE)
"""A word such as `=?gb2312?B?xOO6ww==?=` (RFC 2047)."""
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t\r\n]{1,10}(?==\?)")
_LINE_BREAK = re.compile(r"[\r\n]+")

_Piece = tuple[Sequence[str], bytes]
"""The encodings that bytes may have, the likeliest first, and the bytes."""


def header_text(value: str, declared: str = "") -> str:
    """Return a header in plain letters. In `value`, bytes outside of ASCII are surrogates.

    `declared` is the encoding of the mail's text, as Python calls it. Python's own reader of headers takes labels for
    names of its encodings, so that it fails for windows-949, and garbles what calls itself gb2312 and is GBK.
    """
    value = _LINE_BREAK.sub("", _BETWEEN_WORDS.sub("", value))
    pieces = groupby(filter(itemgetter(1), _pieces(value, declared)), itemgetter(0))
    # Bytes are joined first: a letter may be divided between two words.
    return "".join(_decoded(b"".join(map(itemgetter(1), group)), codecs) for codecs, group in pieces).strip()


def _pieces(value: str, declared: str) -> Iterator[_Piece]:
    position = 0
    for word in _ENCODED_WORD.finditer(value):
        yield ("utf-8", declared), _bytes(value[position : word.start()])
        yield (codec_of(word[1]), "utf-8"), _unpacked(word)
        position = word.end()
    yield ("utf-8", declared), _bytes(value[position:])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _unpacked(word: re.Match[str]) -> bytes:
    """Return the bytes of an encoded word; the word itself if it is broken."""
    text = _bytes(word[3])
    if word[2] in "qQ":
        return quopri.decodestring(text, header=True)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4)) or _bytes(word[0])
    except binascii.Error:
        return _bytes(word[0])


def _decoded(data: bytes, codecs: Sequence[str]) -> str:
    for codec in filter(None, codecs):
        with suppress(UnicodeDecodeError):
            return decoded(data, codec, "strict")
    return decoded(data, guess_encoding(data).codec)
