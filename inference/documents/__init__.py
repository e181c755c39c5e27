"""The text of documents: PDF, Word, web pages, tables, plain text. Types are recognized by content, not by name.

Documents come from anyone, so each is read under limits: of characters, of time, and of unpacked size. The bot reads
all but plain text in processes of their own (`reader_processes.py`), which also limits memory.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import copy_context

from inference.documents import encodings, pdf, tables, web, word
from inference.types.errors import InferenceError, InvalidRequest, Phrase, RequestCancelled

log = logging.getLogger(__name__)

Reader = Callable[[bytes, Callable[[], None]], Iterator[str]]
"""Yields the text in pieces. It calls the given function, which may raise, at least once per piece."""

_MAX_CHARACTERS = 1_000_000
MAX_SECONDS = 60.0
_MAX_PLAIN_BYTES = 10**6

_UNSUPPORTED = {
    b"PK\x03\x04": Phrase("{name} is a packed file without a Word document in it. Send a PDF, a .docx or a text file."),
    b"\xd0\xcf\x11\xe0": Phrase(
        "{name} is an old or a locked Office file. Save it as .docx without a password, or as PDF."
    ),
    rb"{\rtf": Phrase("{name} is rich text (RTF). Save it as .docx, PDF or plain text."),
}
_BLANK_LINES = re.compile(r"\n{3,}")
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\a\x1b]*+(?:\a|\x1b\\))?")
"""Colours and titles: control sequences for terminals (ECMA-48)."""


def document_text(
    data: bytes,
    name: str,
    max_characters: int = _MAX_CHARACTERS,
    max_seconds: float = MAX_SECONDS,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Return the text of a document, up to `max_characters`. Takes seconds: see `Engine.read_document` for async code.

    `name` is the file name, for messages and for types that can't be told by content. Raise InvalidRequest for a
    document that is longer, takes longer than `max_seconds`, is locked, broken, empty, or of an unsupported type.
    Raise RequestCancelled soon after `cancelled` returns True.
    """
    with wrap_reader_errors(name):
        pieces = _choose_reader(data, name)(data, _limit_check(name, max_seconds, cancelled))
        text = copy_context().run(_collect, pieces, name, max_characters)  # libraries' limits are set for this context
    if not text:
        raise InvalidRequest("{name} is empty. Send a file with text in it.", name=name)
    return text


def is_plain_text(data: bytes, name: str) -> bool:
    """Return whether this is a small text that no library has to parse."""
    packed = data.startswith(b"PK") or pdf.is_pdf(data)
    return len(data) <= _MAX_PLAIN_BYTES and not packed and not web.is_web(data, name) and not _is_table(name)


@contextmanager
def wrap_reader_errors(name: str) -> Generator[None]:
    """Convert errors of reader libraries, which raise any type for broken documents, to InvalidRequest."""
    try:
        yield
    except InferenceError:
        raise
    except Exception as error:
        log.info("a document could not be read: %s", type(error).__name__)
        raise too_large(name) if _ran_out_of_memory(error) else damaged(name) from error


def _ran_out_of_memory(error: BaseException | None) -> bool:
    """Return whether this error, or one that led to it, is a MemoryError. Libraries raise their own errors after it."""
    return error is not None and (isinstance(error, MemoryError) or _ran_out_of_memory(error.__context__))


def damaged(name: str) -> InvalidRequest:
    return InvalidRequest(
        "{name} can't be read; it may be damaged. Open it yourself, save it anew, and send that.", name=name
    )


def too_large(name: str) -> InvalidRequest:
    return InvalidRequest("{name} needs too much memory to read. Send a smaller part of it.", name=name)


def too_slow(name: str) -> InvalidRequest:
    return InvalidRequest("{name} takes too long to read. Send a smaller part of it.", name=name)


def _choose_reader(data: bytes, name: str) -> Reader:
    if pdf.is_pdf(data):
        return lambda data, check: pdf.read(data, name, check)
    if word.is_word(data):
        return lambda data, check: word.read(data, name, check)
    for start, sentence in _UNSUPPORTED.items():
        if data.startswith(start):
            raise InvalidRequest(sentence, name=name)
    if web.is_web(data, name):
        return lambda data, check: web.read(encodings.decode(data, name, web.encoding(data)), check)
    if _is_table(name):
        return lambda data, check: tables.read(encodings.decode(data, name), check)
    return lambda data, check: iter([encodings.decode(data, name)])


def _is_table(name: str) -> bool:
    return name.lower().endswith((".csv", ".tsv"))


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
    text = _UNPRINTABLE.sub("", _TERMINAL_CODES.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    return _BLANK_LINES.sub("\n\n", text).strip()


def _limit_check(name: str, max_seconds: float, cancelled: Callable[[], bool]) -> Callable[[], None]:
    deadline = time.monotonic() + max_seconds

    def check() -> None:
        if cancelled():
            raise RequestCancelled("This request was cancelled.")
        if time.monotonic() > deadline:
            raise too_slow(name)

    return check
