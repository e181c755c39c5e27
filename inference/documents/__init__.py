"""The text of documents: PDF, Office files, books, mails, web pages, tables, plain text.

Types are recognized by content, and only text files by name.

Documents come from anyone, so each is read under limits: of characters, of time, and of unpacked size. The bot reads
all but plain text in processes of their own (`reader_processes.py`), which also limits memory.
"""

from __future__ import annotations

import logging
import re
import time
import unicodedata
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

from inference.documents import (
    books,
    encodings,
    mail,
    open_document,
    packages,
    pdf,
    rich_text,
    sheets,
    slides,
    tables,
    web,
    word,
)
from inference.documents.reader_errors import damaged, ran_out_of_memory, too_large, too_slow
from inference.types.errors import InferenceError, InvalidRequest, Phrase, RequestCancelled

log = logging.getLogger(__name__)

Reader = Callable[[Callable[[], None]], Iterator[str]]
"""Yields the text in pieces. It calls the given function, which may raise, at least once per piece."""

_MAX_CHARACTERS = 1_000_000
MAX_SECONDS = 60.0
_MAX_PLAIN_BYTES = 10**6

_UNSUPPORTED = {
    b"\xd0\xcf\x11\xe0": Phrase(
        "{name} is an old or a locked Office file. Save it as .docx without a password, or as PDF."
    ),
}
_OFFICE_READERS = {"document": word.read, "presentation": slides.read, "workbook": sheets.read}
"""The readers of Office Open XML, by the outermost element of the main part."""
_WORD_PART = "word/document.xml"
"""The main part of nearly all Word files, for those that lost the table of their parts."""
_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_ENDS = re.compile("\r\n|[\r\v\x85\u2028]|\u2029")
_TYPESETTING_SIGNS = (
    "\N{SOFT HYPHEN}\N{WORD JOINER}\N{ZERO WIDTH NO-BREAK SPACE}\N{COMBINING GRAPHEME JOINER}"
    "\N{ARABIC LETTER MARK}\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # directions
    "\u2061\u2062\u2063\u2064"  # operators that formulas do not show
)
_SHAPES = ((0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFB1D, 0xFDFB), (0xFE76, 0xFEFC), (0x2F00, 0x2FD5))
"""Ligatures, the shapes of Hebrew and Arabic letters inside words, and the radicals of Chinese: PDFs have them."""
_LETTERS = str.maketrans(
    {
        **dict.fromkeys(_TYPESETTING_SIGNS),
        **{
            shape: letters
            for first, last in _SHAPES
            for shape in map(chr, range(first, last + 1))
            if not (letters := unicodedata.normalize("NFKC", shape)).startswith(" ")
        },
    }
)
"""Signs and letters that only typesetting needs. They would divide words for a model."""
_BREAK_OPPORTUNITY = re.compile("(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\N{ZERO WIDTH SPACE}")
"""It divides words only in Thai, Lao, Burmese and Khmer, which are written without blanks."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\a\x1b]*+(?:\a|\x1b\\))?")
"""Colours and titles: control sequences for terminals (ECMA-48)."""


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text of a document, and the name of its encoding if it declares none and several are likely."""

    text: str
    assumed_encoding: str = ""


def document_text(
    data: bytes,
    name: str,
    max_characters: int = _MAX_CHARACTERS,
    max_seconds: float = MAX_SECONDS,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Return only the text that `read_document` returns. Raise its errors."""
    return read_document(data, name, max_characters, max_seconds, cancelled).text


def read_document(
    data: bytes,
    name: str,
    max_characters: int = _MAX_CHARACTERS,
    max_seconds: float = MAX_SECONDS,
    cancelled: Callable[[], bool] = lambda: False,
) -> DocumentText:
    """Return the text of a document, up to `max_characters`. Takes seconds: see `Engine.read_document` for async code.

    `name` is the file name, for messages and for types that can't be told by content. Raise InvalidRequest for a
    document that is longer, takes longer than `max_seconds`, is locked, broken, empty, or of an unsupported type.
    Raise RequestCancelled soon after `cancelled` returns True.
    """
    with wrap_reader_errors(name):
        check = _limit_check(name, max_seconds, cancelled)
        document = _choose_reader(data, name, check)
        pieces = document.read(check)
        text = copy_context().run(_collect, pieces, name, max_characters)  # libraries' limits are set for this context
    if not text:
        raise InvalidRequest("{name} is empty. Send a file with text in it.", name=name)
    return DocumentText(text, document.assumed_encoding)


@dataclass(frozen=True, slots=True)
class _Document:
    read: Reader
    assumed_encoding: str = ""


def is_plain_text(data: bytes, name: str) -> bool:
    """Return whether this is a small text that no library has to parse."""
    packed = data.startswith((b"PK", rich_text.MARK)) or pdf.is_pdf(data)
    parsed = packed or mail.is_mail(name) or web.is_web(data, name) or tables.is_table(name)
    return len(data) <= _MAX_PLAIN_BYTES and not parsed


@contextmanager
def wrap_reader_errors(name: str) -> Generator[None]:
    """Convert errors of reader libraries, which raise any type for broken documents, to InvalidRequest."""
    try:
        yield
    except InferenceError:
        raise
    except Exception as error:
        log.info("a document could not be read: %s", type(error).__name__)
        raise too_large(name) if ran_out_of_memory(error) else damaged(name) from error


def _choose_reader(data: bytes, name: str, check: Callable[[], None]) -> _Document:
    for start, sentence in _UNSUPPORTED.items():
        if data.startswith(start):
            raise InvalidRequest(sentence, name=name)
    if pdf.is_pdf(data):
        return _Document(partial(pdf.read, data, name))
    if data.startswith(packages.MARK):
        return _Document(_choose_package_reader(packages.Package(data, name), name, check))
    if data.startswith(rich_text.MARK):
        return _Document(partial(rich_text.read, data))
    if mail.is_mail(name):
        return _Document(partial(mail.read, data, name))
    return _choose_text_reader(data, name)


def _choose_text_reader(data: bytes, name: str) -> _Document:
    is_web = web.is_web(data, name)
    decoded = encodings.decode(data, name, web.encoding(data) if is_web else "")
    if is_web:
        return _Document(partial(web.read, decoded.text), decoded.assumed_encoding)
    if tables.is_table(name):
        return _Document(partial(tables.read, decoded.text), decoded.assumed_encoding)
    return _Document(lambda check: iter([decoded.text]), decoded.assumed_encoding)


def _choose_package_reader(package: packages.Package, name: str, check: Callable[[], None]) -> Reader:
    part = next((part for part in (*package.related("", "officeDocument"), _WORD_PART) if part in package), "")
    reader = _OFFICE_READERS.get(packages.local_name(package.root(part, check).tag)) if part else None
    if reader:
        return partial(reader, package, part)
    if open_document.MAIN_PART in package:
        return partial(open_document.read, package)
    if books.MAIN_PART in package:
        return partial(books.read, package, name)
    raise InvalidRequest(
        "{name} is a packed file without a document in it. Unpack it, and send a document from it.", name=name
    )


def _collect(pieces: Iterator[str], name: str, max_characters: int) -> str:
    """Join the pieces to one printable text. Raise InvalidRequest as soon as it is too long."""
    pieces_read: list[str] = []
    length = 0
    for piece in pieces:
        pieces_read.append(piece)
        length += len(piece)
        if length > max_characters:
            raise InvalidRequest(
                "{name} holds more than {most:,} characters of text, the most that this bot reads. Send a part of it.",
                name=name,
                most=max_characters,
            )
    return _printable("".join(pieces_read))


def _printable(text: str) -> str:
    text = _LINE_ENDS.sub("\n", _UNPRINTABLE.sub("", _TERMINAL_CODES.sub("", text)))
    text = _BREAK_OPPORTUNITY.sub("", text.translate(_LETTERS))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _limit_check(name: str, max_seconds: float, cancelled: Callable[[], bool]) -> Callable[[], None]:
    deadline = time.monotonic() + max_seconds

    def check() -> None:
        if cancelled():
            raise RequestCancelled("This request was cancelled.")
        if time.monotonic() > deadline:
            raise too_slow(name)

    return check
