"""The text of a document: PDF, Word, web page, table or plain text, told by what is in it rather than by its name.

Documents come from anybody, so each is read under limits: of characters, of time, and of what it unpacks to.
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

Read = Callable[[bytes, Callable[[], None]], Iterator[str]]
"""Yields the text piece by piece; calls the function it is given, which may raise, at least as often."""

_MOST = 1_000_000
_SECONDS = 60.0

_OTHERS = {
    b"PK\x03\x04": Phrase("{name} is a packed file without a Word document in it. Send a PDF, a .docx or a text file."),
    b"\xd0\xcf\x11\xe0": Phrase(
        "{name} is an old or a locked Office file. Save it as .docx without a password, or as PDF."
    ),
    rb"{\rtf": Phrase("{name} is rich text (RTF). Save it as .docx, PDF or plain text."),
}
_BLANK_LINES = re.compile(r"\n{3,}")
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\a\x1b]*+(?:\a|\x1b\\))?")
"""Colours and titles: what programs tell the terminal between their words (ECMA-48)."""


def document_text(
    data: bytes,
    name: str,
    most: int = _MOST,
    seconds: float = _SECONDS,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """What a document says, up to `most` characters; slow (seconds): from an event loop, call `Engine.read_document`.

    `name` is what the file is called, for sentences and where its bytes leave open what it is. Raises InvalidRequest
    for a document that is longer, takes longer than `seconds`, is locked, broken, empty, or of another kind, and
    RequestCancelled soon after `cancelled` tells so.
    """
    with legible(name):
        pieces = _reader(data, name)(data, _clock(name, seconds, cancelled))
        text = copy_context().run(_collected, pieces, name, most)  # a library's limits are set for this document alone
    if not text:
        raise InvalidRequest("{name} is empty. Send a file with text in it.", name=name)
    return text


@contextmanager
def legible(name: str) -> Generator[None]:
    """The one place where what reading libraries raise at a broken document, which is anything, becomes our error."""
    try:
        yield
    except InferenceError:
        raise
    except Exception as error:
        log.info("a document could not be read: %s", type(error).__name__)
        raise InvalidRequest(
            "{name} can't be read; it may be damaged. Open it yourself, save it anew, and send that.", name=name
        ) from error


def _reader(data: bytes, name: str) -> Read:
    if pdf.is_pdf(data):
        return lambda data, check: pdf.read(data, name, check)
    if word.is_word(data):
        return lambda data, check: word.read(data, name, check)
    for start, sentence in _OTHERS.items():
        if data.startswith(start):
            raise InvalidRequest(sentence, name=name)
    if web.is_web(data, name):
        return lambda data, check: web.read(encodings.decode(data, name, web.encoding(data)), check)
    if name.lower().endswith((".csv", ".tsv")):
        return lambda data, check: tables.read(encodings.decode(data, name), check)
    return lambda data, check: iter([encodings.decode(data, name)])


def _collected(pieces: Iterator[str], name: str, most: int) -> str:
    """The pieces as one printable text; raises InvalidRequest as soon as they are too many."""
    collected: list[str] = []
    length = 0
    for piece in pieces:
        collected.append(piece)
        length += len(piece)
        if length > most:
            raise InvalidRequest(
                "{name} holds more than {most:,} characters of text, the most that this bot reads. Send a part of it.",
                name=name,
                most=most,
            )
    return _printable("".join(collected))


def _printable(text: str) -> str:
    text = _UNPRINTABLE.sub("", _TERMINAL.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    return _BLANK_LINES.sub("\n\n", text).strip()


def _clock(name: str, seconds: float, cancelled: Callable[[], bool]) -> Callable[[], None]:
    end = time.monotonic() + seconds

    def check() -> None:
        if cancelled():
            raise RequestCancelled("This request was cancelled.")
        if time.monotonic() > end:
            raise InvalidRequest("{name} takes too long to read. Send a smaller part of it.", name=name)

    return check
