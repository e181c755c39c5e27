"""Documents given on the command line, joined to one text."""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from inference.documents import read_document as parse_document
from inference.documents.file_names import is_document_name
from inference.types.errors import InvalidRequest

_MAX_PATH_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Document:
    """A document. `name` is empty for a text that was typed."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Documents:
    """Several documents as one text. If there are `names`, each starts with its name.

    The first starts at the beginning, the others start at `boundaries`.
    """

    text: str
    boundaries: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def source(self, position: int) -> str:
        """Return the name of the document at this position; empty if there is only one document."""
        return self.names[bisect_right(self.boundaries, position)] if self.names else ""


NO_DOCUMENTS = Documents("")


def read_file(path: str) -> bytes:
    """Return the content of a file. Raise InvalidRequest if it can't be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidRequest("{file} can't be read: {reason}.", file=path, reason=error.strerror) from error


def read_document(path: str) -> Document:
    """Read a document of any type; `-` is standard input. Raise InvalidRequest."""
    data = sys.stdin.buffer.read() if path == "-" else read_file(path)
    name = "standard input" if path == "-" else Path(path).name
    document = parse_document(data, name)
    if document.assumed_encoding:
        print(f"{name} does not name its encoding; it is read as {document.assumed_encoding}.", file=sys.stderr)
    return Document(name, document.text)


def read_text(text: str) -> Document:
    """Return `text`, or the document if it is `-` or a file name. Raise InvalidRequest."""
    return read_document(text) if text == "-" or _is_file_name(text) else Document("", text)


def join_documents(documents: Sequence[Document]) -> Documents:
    """Join documents to one text. With several, each starts with its name."""
    if len(documents) == 1:
        return Documents(documents[0].text)
    texts = [f"{document.name}\n\n{document.text}\n\n".lstrip() for document in documents]
    names = tuple(document.name or "the text you gave" for document in documents)
    return Documents("".join(texts).rstrip(), tuple(accumulate(map(len, texts[:-1]))), names)


def _is_file_name(text: str) -> bool:
    """Return whether the text is the name of a file. Mistyped names should be refused, not read as a text."""
    if len(text) > _MAX_PATH_LENGTH:
        return False
    one_word = len(text.split()) == 1
    exists = os.path.exists(text)  # noqa: PTH110 Path.exists raises for names that are too long in bytes
    return exists or (one_word and ("/" in text or is_document_name(text)))
