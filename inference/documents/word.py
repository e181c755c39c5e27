"""Word documents (.docx): paragraphs, and tables with one line per row."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference.types.errors import InvalidRequest

_MAIN_FILE = "word/document.xml"
_MAX_UNPACKED_BYTES = 100 * 10**6
"""Maximum size of the text with its markup, in bytes. 400,000 characters take about 5 MB."""
_CHUNK_BYTES = 2**16

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT, _RUN, _PARAGRAPH, _ROW, _CELL = f"{_W}t", f"{_W}r", f"{_W}p", f"{_W}tr", f"{_W}tc"
_SPECIAL_CHARACTERS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The same text again, for old programs."""


def is_word(data: bytes) -> bool:
    if not data.startswith(b"PK\x03\x04"):
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return _MAIN_FILE in archive.namelist()


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text in pieces, without unpacking more than the size in the file's header.

    Raise InvalidRequest before unpacking if this size is too large.
    """
    from lxml.etree import XMLParser  # pyright: ignore[reportAttributeAccessIssue]

    collector = _WordTextCollector()
    parser: Any = XMLParser(target=collector, resolve_entities=False)
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(_main_entry(archive, name)) as file:
        while chunk := file.read(_CHUNK_BYTES):
            check()
            parser.feed(chunk)
            yield collector.take()
    parser.close()


def _main_entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    entry = archive.getinfo(_MAIN_FILE)
    if entry.file_size > _MAX_UNPACKED_BYTES:
        raise InvalidRequest("{name} unpacks to more than this bot takes. Send a smaller part of it.", name=name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others can't be unpacked in pieces
        raise zipfile.BadZipFile("packed in a way that no Word document is")
    return entry


@dataclass(slots=True)
class _Element:
    tag: str
    last_child: str = ""
    """The tag of the newest child."""


class _WordTextCollector:
    """Collects text from a stream of elements. A tree would take ten times the memory."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._open_elements = [_Element("")]
        self._fallback_depth = 0

    def take(self) -> str:
        """Return the text since the last call."""
        text, self._text = "".join(self._text), []
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._fallback_depth += tag == _FALLBACK
        if not self._fallback_depth:
            self._text.append(_separator(tag, self._open_elements[-1]))
        self._open_elements[-1].last_child = tag
        self._open_elements.append(_Element(tag))

    def end(self, tag: str) -> None:
        self._fallback_depth -= tag == _FALLBACK
        self._open_elements.pop()

    def data(self, data: str) -> None:
        if self._open_elements[-1].tag == _TEXT and not self._fallback_depth:
            self._text.append(data)

    def close(self) -> None:
        """Required by the parser."""


def _separator(tag: str, parent: _Element) -> str:
    """Return the text between this element and the one before it in `parent`."""
    if tag == _ROW:
        return "\n"
    if tag == _CELL:
        return " | " if parent.last_child == _CELL else ""
    if tag == _PARAGRAPH and parent.tag == _CELL:
        return " " if parent.last_child == _PARAGRAPH else ""
    if tag == _PARAGRAPH:
        return "\n\n"
    return _SPECIAL_CHARACTERS.get(tag, "") if parent.tag == _RUN else ""
