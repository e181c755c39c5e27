"""Word documents (.docx): paragraphs, and tables a row a line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference.types.errors import InvalidRequest

_MAIN = "word/document.xml"
_UNPACKED = 100 * 10**6
"""Bytes of its text with all that is said about it; 400,000 characters take about 5 MB."""
_CHUNK = 2**16

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT, _RUN, _PARAGRAPH, _ROW, _CELL = f"{_W}t", f"{_W}r", f"{_W}p", f"{_W}tr", f"{_W}tc"
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The same text again, for old programs."""


def is_word(data: bytes) -> bool:
    if not data.startswith(b"PK\x03\x04"):
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return _MAIN in packed.namelist()


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Unpacks and reads piece by piece, and never more than the file says it holds.

    Raises InvalidRequest, before anything is unpacked, for a document that says it unpacks to very much.
    """
    from lxml.etree import XMLParser  # pyright: ignore[reportAttributeAccessIssue]

    body = _Body()
    parser: Any = XMLParser(target=body, resolve_entities=False)
    with zipfile.ZipFile(io.BytesIO(data)) as packed, packed.open(_main(packed, name)) as file:
        while chunk := file.read(_CHUNK):
            check()
            parser.feed(chunk)
            yield body.take()
    parser.close()


def _main(packed: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    main = packed.getinfo(_MAIN)
    if main.file_size > _UNPACKED:
        raise InvalidRequest("{name} unpacks to more than this bot takes. Send a smaller part of it.", name=name)
    if main.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others are not unpacked in pieces
        raise zipfile.BadZipFile("packed in a way that no Word document is")
    return main


@dataclass(slots=True)
class _Element:
    tag: str
    last: str = ""
    """The tag of the newest element in it."""


class _Body:
    """Gathers the text of a stream of elements: a tree of them would take ten times the memory."""

    def __init__(self) -> None:
        self._read: list[str] = []
        self._open = [_Element("")]
        self._repeated = 0

    def take(self) -> str:
        """The text since the last time."""
        taken, self._read = "".join(self._read), []
        return taken

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._repeated += tag == _FALLBACK
        if not self._repeated:
            self._read.append(_before(tag, self._open[-1]))
        self._open[-1].last = tag
        self._open.append(_Element(tag))

    def end(self, tag: str) -> None:
        self._repeated -= tag == _FALLBACK
        self._open.pop()

    def data(self, data: str) -> None:
        if self._open[-1].tag == _TEXT and not self._repeated:
            self._read.append(data)

    def close(self) -> None:
        """The parser asks for it."""


def _before(tag: str, parent: _Element) -> str:
    """What stands between this element and what came before in `parent`."""
    if tag == _ROW:
        return "\n"
    if tag == _CELL:
        return " | " if parent.last == _CELL else ""
    if tag == _PARAGRAPH and parent.tag == _CELL:
        return " " if parent.last == _PARAGRAPH else ""
    if tag == _PARAGRAPH:
        return "\n\n"
    return _SIGNS.get(tag, "") if parent.tag == _RUN else ""
