"""Documents that are named on the command line, as one text."""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from inference.documents import document_text
from inference.types.errors import InvalidRequest

_LONGEST_PATH = 255
_SUFFIXES = (".txt", ".md", ".csv", ".tsv", ".pdf", ".docx", ".html", ".htm", ".xhtml")


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is empty for a text that was typed."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Documents:
    """One text of several, each under its name if there are `names`.

    The first begins the text, the others begin at `boundaries`.
    """

    text: str
    boundaries: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def source(self, place: int) -> str:
        """The name of the document that holds this place of the text; empty where there is only one."""
        return self.names[bisect_right(self.boundaries, place)] if self.names else ""


NOTHING = Documents("")


def read_file(path: str) -> bytes:
    """Raises InvalidRequest for a file that can't be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidRequest("{file} can't be read: {reason}.", file=path, reason=error.strerror) from error


def read_document(path: str) -> Document:
    """A document of any kind; `-` is standard input. Raises InvalidRequest."""
    data = sys.stdin.buffer.read() if path == "-" else read_file(path)
    name = "standard input" if path == "-" else Path(path).name
    return Document(name, document_text(data, name))


def read_text(text: str) -> Document:
    """`text` itself, unless it is `-` or names a file or looks as if it should. Raises InvalidRequest."""
    return read_document(text) if text == "-" or _names_a_file(text) else Document("", text)


def join_documents(documents: Sequence[Document]) -> Documents:
    """All of them as one text, each under its name where there are several."""
    if len(documents) == 1:
        return Documents(documents[0].text)
    texts = [f"{document.name}\n\n{document.text}\n\n".lstrip() for document in documents]
    names = tuple(document.name or "the text you gave" for document in documents)
    return Documents("".join(texts).rstrip(), tuple(accumulate(map(len, texts[:-1]))), names)


def _names_a_file(text: str) -> bool:
    """A mistyped name is to be refused, not read as a text of one word."""
    if len(text) > _LONGEST_PATH:
        return False
    one_word = len(text.split()) == 1
    is_there = os.path.exists(text)  # noqa: PTH110 Path.exists raises for names that are too long in bytes
    return is_there or (one_word and ("/" in text or text.lower().endswith(_SUFFIXES)))
