"""Documents that are named on the command line, as one text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from inference.documents import document_text
from inference.errors import InvalidRequest

_LONGEST_PATH = 255


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is empty for a text that was typed."""

    name: str
    text: str


def read_file(path: str) -> bytes:
    """Raises ArgumentTypeError for a file that can't be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} can't be read: {error.strerror}") from error


def read_document(path: str) -> Document:
    """A document of any kind; `-` is standard input. Raises ArgumentTypeError."""
    data = sys.stdin.buffer.read() if path == "-" else read_file(path)
    name = "standard input" if path == "-" else Path(path).name
    try:
        return Document(name, document_text(data, name))
    except InvalidRequest as error:
        raise argparse.ArgumentTypeError(error.user_message) from error


def read_text(text: str) -> Document:
    """`text` itself, unless it is the name of a file, or `-`."""
    is_path = len(text) <= _LONGEST_PATH and Path(text).is_file()
    return read_document(text) if text == "-" or is_path else Document("", text)


def together(documents: Sequence[Document]) -> tuple[str, tuple[int, ...]]:
    """One text, each document under its name where there are several, and where all but the first begin."""
    if len(documents) == 1:
        return documents[0].text, ()
    texts = [f"{document.name}\n\n{document.text}\n\n".lstrip() for document in documents]
    return "".join(texts).rstrip(), tuple(accumulate(map(len, texts[:-1])))
